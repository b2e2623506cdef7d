"""One world of the built-in district, ten seconds long: what is on the road, what was said over the air, what the lights show."""

from cloverleaf.loop.tick import tick
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study

study = Study(duration_s=10.0, seeds=(1,))
run = Run(study, Arm.CLOUD, seed=1)  # human + car + road + cloud
rooms = run.rooms

for _ in range(study.steps):
    tick(rooms)  # seven steps, one page: src/cloverleaf/loop/tick.py

world = rooms.world
link = rooms.link.statistics.summary()
print(f"time            {world.time:.1f} s")
print(f"road users      {int((world.actors.kind > 0).sum())}, of them smart cars {len(world.fleet)}")
print(f"messages sent   {link['sent']}, {link['bytes']} bytes, delivered {link['delivered']}")
print(f"lights          {bytes(rooms.signals.light).decode()}")
print(f"collisions      {int(world.collisions.filled[0])}")
