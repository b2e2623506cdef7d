/** What the person at the wheel does: keyboard with soft ramps, or the first gamepad. */

export interface Controls {
  throttle: number; // 0..1
  brake: number; // 0..1
  steer: number; // -1 (right) .. 1 (left), as the standards count
  indicator: -1 | 0 | 1;
  automation: boolean;
}

const STEER_PER_S = 1.6;
const RETURN_PER_S = 2.6;
const PEDAL_PER_S = 2.2;

const KEYS: Record<string, "left" | "right" | "throttle" | "brake"> = {
  KeyA: "left", ArrowLeft: "left",
  KeyD: "right", ArrowRight: "right",
  KeyW: "throttle", ArrowUp: "throttle",
  KeyS: "brake", ArrowDown: "brake",
};

/** Keys pressed now become pedals and wheel with human ramps; call `step` at a steady rate. */
export class Hands {
  private readonly down = new Set<string>();
  private readonly controls: Controls = { throttle: 0, brake: 0, steer: 0, indicator: 0, automation: true };

  press(code: string): boolean {
    const action = KEYS[code];
    if (action) this.down.add(action);
    else if (code === "Space") this.controls.automation = !this.controls.automation;
    else if (code === "KeyQ") this.indicate(1);
    else if (code === "KeyE") this.indicate(-1);
    else return false;
    if (action) this.controls.automation = this.controls.automation && action === "throttle";
    return true;
  }

  release(code: string): void {
    const action = KEYS[code];
    if (action) this.down.delete(action);
  }

  /** A new car: its automation drives until the person does. */
  sitDown(): void {
    this.controls.automation = true;
  }

  /** Lets go of everything: the window has lost the keyboard. */
  letGo(): void {
    this.down.clear();
  }

  step(seconds: number, pad: Gamepad | null = null): Controls {
    const c = this.controls;
    const want = Number(this.down.has("left")) - Number(this.down.has("right"));
    c.steer = towards(c.steer, want, (want === 0 ? RETURN_PER_S : STEER_PER_S) * seconds);
    c.throttle = towards(c.throttle, this.down.has("throttle") ? 1 : 0, PEDAL_PER_S * seconds);
    c.brake = towards(c.brake, this.down.has("brake") ? 1 : 0, PEDAL_PER_S * seconds);
    if (pad) this.read(pad);
    return { ...c };
  }

  private read(pad: Gamepad): void {
    const axis = pad.axes[0] ?? 0;
    if (Math.abs(axis) > 0.06) this.controls.steer = -axis;
    this.controls.throttle = Math.max(this.controls.throttle, pad.buttons[7]?.value ?? 0);
    this.controls.brake = Math.max(this.controls.brake, pad.buttons[6]?.value ?? 0);
  }

  private indicate(side: -1 | 1): void {
    this.controls.indicator = this.controls.indicator === side ? 0 : side;
  }
}

function towards(value: number, want: number, step: number): number {
  return value < want ? Math.min(value + step, want) : Math.max(value - step, want);
}
