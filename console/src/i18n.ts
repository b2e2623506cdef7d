/** The console's words, English and 简体中文; an unknown key shows itself, so that a missing word is seen. */

export type Language = "en" | "zh";

const WORDS: Record<string, [string, string]> = {
  title: ["Cloverleaf console", "四叶车路云控制台"],
  name: ["Name", "用户名"],
  password: ["Password", "密码"],
  log_in: ["Log in", "登录"],
  log_out: ["Log out", "退出"],
  login_with: ["Log in with", "使用以下账号登录："],
  login_failed: ["Not logged in", "登录失败"],
  live: ["Live", "实时"],
  history: ["History", "历史"],
  pause: ["Pause", "暂停"],
  play: ["Play", "播放"],
  speed: ["Speed", "倍速"],
  open: ["connected", "已连接"],
  connecting: ["connecting", "正在连接"],
  lost: ["connection lost, trying again", "连接中断，正在重连"],
  layers: ["Layers", "图层"],
  objects: ["Road users", "交通参与者"],
  signals: ["Signals", "信号灯"],
  said: ["Warnings and advice", "预警与建议"],
  events: ["Warnings", "预警"],
  messages: ["Messages", "消息"],
  msg_awareness: ["own state (BSM, CAM)", "自身状态 (BSM)"],
  msg_signal: ["signals (SPAT)", "信号灯 (SPAT)"],
  msg_topology: ["map (MAP)", "地图 (MAP)"],
  msg_perception: ["perception (RSM, SSM, CPM)", "感知共享 (RSM, SSM)"],
  msg_advice: ["advice out (RSC)", "下发建议 (RSC)"],
  msg_event: ["warnings out (RSI, DENM)", "下发预警 (RSI)"],
  sensors: ["Perception", "感知"],
  legend: ["Legend", "图例"],
  human: ["human", "人工驾驶"],
  smart: ["smart", "智能驾驶"],
  connected: ["connected", "网联"],
  warned: ["warned", "已预警"],
  perceived: ["perceived by others", "他车或路侧感知"],
  unit: ["roadside unit", "路侧单元"],
  safe: ["Safe", "安全"],
  efficient: ["Efficient", "高效"],
  green: ["Green", "绿色"],
  civilised: ["Civilised", "文明"],
  vehicle: ["Vehicle", "车辆"],
  health: ["Health", "运行状况"],
  compare: ["Compare", "方案对比"],
  perceives: ["What it perceives", "它感知到什么"],
  told: ["What it was told", "它收到什么"],
  decides: ["What it decides", "它如何决策"],
  pick_vehicle: ["Click a road user on the map.", "请在地图上点选一个交通参与者。"],
  no_inside: ["This road user shares its motion, not its thoughts.", "该参与者只共享运动状态，不提供内部信息。"],
  no_events: ["No warnings yet.", "暂无预警。"],
  no_runs: ["No study has been stored here yet.", "尚无已存的研究。"],
  nothing: ["nothing", "无"],
  everyone: ["everyone", "全体"],
  speed_advice: ["Speed advice", "车速引导"],
  warning: ["Warning", "预警"],
  service: ["service", "服务"],
  tier: ["tier", "层级"],
  late: ["late", "超时"],
  errors: ["errors", "错误"],
  dropped: ["Refused by source and reason", "按来源和原因拒收"],
  ingest: ["Messages", "消息接入"],
  processes: ["Processes", "进程"],
  process: ["process", "进程"],
  alive: ["alive", "存活"],
  restarts: ["restarts", "重启"],
  services: ["Services", "服务"],
  runs: ["runs", "运行"],
  own: ["own sensors", "自车传感器"],
  road: ["roadside", "路侧"],
  car: ["smart cars", "智能车"],
  cloud: ["cloud", "云控"],
  arm_human: ["human", "人工驾驶"],
  follow: ["Follow", "跟随"],
  release: ["Release", "取消跟随"],
  truncated: ["more objects than one frame holds: zoom in", "目标过多，请放大"],
  status_ok: ["ok", "正常"],
  status_degraded: ["degraded", "降级运行"],
  accepted: ["accepted", "已接收"],
  bad_signature: ["bad signature", "签名错误"],
  certificate_expired: ["certificate expired", "证书已过期"],
  certificate_not_yet_valid: ["certificate not yet valid", "证书尚未生效"],
  clock: ["clock ahead", "时钟超前"],
  duplicate_frame: ["duplicate frame", "重复帧"],
  empty: ["empty", "空消息"],
  from_the_future: ["from the future", "时间超前"],
  implausible: ["implausible", "数值不合理"],
  malformed: ["malformed", "格式错误"],
  malformed_frame: ["malformed frame", "帧格式错误"],
  malformed_inner: ["malformed inside view", "内部信息格式错误"],
  message_expired: ["message expired", "消息已过期"],
  off_map: ["off the map", "超出地图范围"],
  out_of_order: ["out of order", "乱序"],
  out_of_region: ["out of region", "超出许可区域"],
  oversized: ["oversized", "超长"],
  rate: ["more often than the twin takes", "更新过于频繁"],
  replayed: ["replayed", "重放"],
  revoked: ["revoked", "证书已吊销"],
  signature_not_expected: ["signature not expected", "不应有签名"],
  stale: ["stale", "过时"],
  too_often: ["too often", "发送过于频繁"],
  undecodable: ["undecodable", "无法解码"],
  unknown_certificate: ["unknown certificate", "未知证书"],
  unknown_kind: ["unknown kind", "未知消息类型"],
  untrusted_issuer: ["untrusted issuer", "签发者不受信任"],
  wrong_permission: ["wrong permission", "权限不符"],
  edge: ["edge", "边缘"],
  region: ["region", "区域"],
  centre: ["centre", "中心"],
  glosa: ["speed advice (GLOSA)", "绿波车速引导"],
  collision_warning: ["collision warning", "碰撞预警"],
  signal_control: ["signal control", "信号控制"],
  warnings: ["warnings", "预警"],
  hard_braking: ["hard braking", "急制动"],
  mean_speed: ["mean speed", "平均车速"],
  stopped_share: ["standing", "停车占比"],
  mean_wait: ["mean wait", "平均等待"],
  accelerating_share: ["accelerating", "加速占比"],
  uncomfortable_share: ["uncomfortable", "不舒适占比"],
  waiting_car: ["Waiting for a car to drive", "正在等待可驾驶的车辆"],
  automation_off: ["You drive", "人工驾驶"],
  automation_available: ["Automation available: press Space", "可启用自动驾驶：按空格键"],
  automation_active: ["Automation drives: brake or steer to take over", "自动驾驶中：制动或转向即可接管"],
  automation_take_over: ["Take over", "请立即接管"],
  keys: ["W A S D or arrows, Space: automation, Q E: indicators, or a gamepad", "W A S D 或方向键，空格：自动驾驶，Q E：转向灯，支持手柄"],
  console: ["Console", "控制台"],
  limit: ["limit", "限速"],
  advice: ["advice", "建议"],
  NONE: ["none", "无"],
  FORWARD_COLLISION: ["Forward collision", "前向碰撞预警"],
  INTERSECTION_COLLISION: ["Intersection collision", "交叉路口碰撞预警"],
  RED_LIGHT: ["Red light", "闯红灯预警"],
  VULNERABLE_USER: ["Vulnerable road user", "弱势交通参与者碰撞预警"],
  LANE_CHANGE: ["Lane change", "变道预警"],
  SPEED_ADVICE: ["Speed advice", "绿波车速引导"],
  HAZARD_AHEAD: ["Hazard ahead", "道路危险状况提示"],
  EMERGENCY_VEHICLE: ["Emergency vehicle", "紧急车辆提醒"],
  TAKE_OVER: ["Take over", "请求接管"],
  YIELDING: ["Yielding", "礼让"],
  DRIVING_ON: ["Driving on", "继续行驶"],
};

/** Warning codes of apps/codes.py: rows of the list of T/CSAE 53. */
const WARNINGS: Record<number, [string, string]> = {
  1: ["Forward collision", "前向碰撞预警"],
  2: ["Intersection collision", "交叉路口碰撞预警"],
  3: ["Left turn assist", "左转辅助"],
  6: ["Emergency brake ahead", "紧急制动预警"],
  7: ["Abnormal vehicle", "异常车辆提醒"],
  9: ["Hazardous location", "道路危险状况提示"],
  10: ["Speed limit", "限速预警"],
  11: ["Red light violation", "闯红灯预警"],
  12: ["Vulnerable road user", "弱势交通参与者碰撞预警"],
  15: ["Traffic jam ahead", "前方拥堵提醒"],
  16: ["Emergency vehicle", "紧急车辆提醒"],
};

let language: Language = readLanguage();

function readLanguage(): Language {
  const kept = globalThis.localStorage?.getItem("language");
  if (kept === "en" || kept === "zh") return kept;
  return globalThis.navigator?.language.startsWith("zh") ? "zh" : "en";
}

export function currentLanguage(): Language {
  return language;
}

/** Changes the language for good; the page asks everything anew, so no widget keeps old words. */
export function setLanguage(next: Language): void {
  language = next;
  localStorage.setItem("language", next);
  location.reload();
}

export function t(key: string): string {
  const words = WORDS[key];
  return words ? words[language === "en" ? 0 : 1] : key.replaceAll("_", " ");
}

/** Name of what was said: a warning (0) by its code, or an advice. */
export function saying(what: number, code: number): string {
  if (what !== 0) return t("speed_advice");
  const words = WARNINGS[code];
  return words ? words[language === "en" ? 0 : 1] : `${t("warning")} ${code}`;
}

/** Keys that lack one of the languages; the tests expect none. */
export function missingWords(): string[] {
  return Object.entries(WORDS).flatMap(([key, words]) => (words[0] && words[1] ? [] : [key]));
}
