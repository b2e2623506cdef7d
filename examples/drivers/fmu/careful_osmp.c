/* A driver as FMU, FMI 2 co-simulation with OSI messages packed as OSI Sensor Model Packaging has it: an osi3.SensorView comes in at an
 * address given by two integers and a size, an osi3.TrafficUpdate goes out the same way. The few protobuf fields are read by hand, so
 * that a C compiler is all this needs; a real model would use the OSI library. Build with build.py. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef enum { OK, WARNING, DISCARD, ERROR, FATAL, PENDING } Status;
enum { IN_LO, IN_HI, IN_SIZE, OUT_LO, OUT_HI, OUT_SIZE };
typedef struct { int32_t value[6]; uint8_t answer[64]; } Driver;
typedef struct { const uint8_t *at, *end; } Span;
typedef struct { uint64_t id; double length, width, x, y, yaw, vx, vy; } Object;

static uint64_t varint(Span *s)
{
    uint64_t value = 0;
    for (int shift = 0; s->at < s->end && shift < 64; shift += 7) {
        uint8_t byte = *s->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128)) break;
    }
    return value;
}

/* Next field of a message: its number, or 0 at the end. Text and messages come as `body`, numbers as `number` or `real`. */
static int field(Span *s, Span *body, uint64_t *number, double *real)
{
    if (s->at >= s->end) return 0;
    uint64_t key = varint(s);
    size_t left, size = 0;
    switch (key & 7) {
    case 0: *number = varint(s); break;
    case 1: size = 8; break;
    case 5: size = 4; break;
    case 2: size = varint(s); break;
    default: s->at = s->end; return 0;
    }
    left = (size_t)(s->end - s->at);
    if (size > left) { s->at = s->end; return 0; }
    if ((key & 7) == 1) memcpy(real, s->at, 8);
    body->at = s->at;
    body->end = s->at += size;
    return (int)(key >> 3);
}

static void three(Span s, double *a, double *b, double *c)
{
    Span body; uint64_t n; double real = 0.0; int f;
    while ((f = field(&s, &body, &n, &real))) { if (f == 1) *a = real; if (f == 2) *b = real; if (f == 3) *c = real; }
}

static uint64_t identifier(Span s)
{
    Span body; uint64_t n = 0, id = 0; double real; int f;
    while ((f = field(&s, &body, &n, &real))) if (f == 1) id = n;
    return id;
}

static Object object(Span s)
{
    Object o = {0}; Span part, body; uint64_t n; double real, rest; int f;
    while ((f = field(&s, &part, &n, &real))) {
        if (f == 1) o.id = identifier(part);
        if (f == 2) while ((f = field(&part, &body, &n, &real))) {
            if (f == 1) three(body, &o.length, &o.width, &rest);
            if (f == 2) three(body, &o.x, &o.y, &rest);
            if (f == 3) three(body, &rest, &rest, &o.yaw);
            if (f == 4) three(body, &o.vx, &o.vy, &rest);
        }
    }
    return o;
}

static double decide(Span truth, Object own)
{
    double c = cos(own.yaw), s = sin(own.yaw), v = own.vx * c + own.vy * s, wanted = 0.0;
    Span body; uint64_t n; double real; int f;
    while ((f = field(&truth, &body, &n, &real))) {
        if (f != 5) continue;
        Object o = object(body);
        double dx = o.x - own.x, dy = o.y - own.y, ahead = dx * c + dy * s, left = dy * c - dx * s;
        double gap = ahead - 0.5 * (own.length + o.length);
        if (o.id == own.id || ahead <= 0.0 || fabs(left) > 0.5 * (own.width + o.width)) continue;
        double closing = v - (o.vx * c + o.vy * s), follow = 0.3 * (gap - 2.0 - 2.0 * v) - 0.8 * closing;
        if (follow < wanted) wanted = follow;
        if (closing > 0.0 && closing * closing > 8.0 * (gap > 1.1 ? gap - 1.0 : 0.1)) wanted = -9.0;
    }
    return wanted < -9.0 ? -9.0 : wanted;
}

/* TrafficUpdate { update { id { value } base { acceleration { x y } } } } with an id below 128. */
static void answer(Driver *d, uint64_t id, double accel, double yaw)
{
    double xy[2] = {accel * cos(yaw), accel * sin(yaw)};
    uint8_t *b = d->answer;
    const uint8_t head[] = {3 << 3 | 2, 26, 1 << 3 | 2, 2, 1 << 3, (uint8_t)id, 2 << 3 | 2, 20, 5 << 3 | 2, 18, 1 << 3 | 1};
    memcpy(b, head, sizeof head);
    memcpy(b + 11, &xy[0], 8);
    b[19] = 2 << 3 | 1;
    memcpy(b + 20, &xy[1], 8);
    uint64_t address = (uint64_t)(uintptr_t)b;
    d->value[OUT_LO] = (int32_t)(uint32_t)address;
    d->value[OUT_HI] = (int32_t)(uint32_t)(address >> 32);
    d->value[OUT_SIZE] = 28;
}

Status fmi2DoStep(void *driver, double time, double step, int no_state)
{
    Driver *d = driver;
    uint64_t address = (uint64_t)(uint32_t)d->value[IN_HI] << 32 | (uint32_t)d->value[IN_LO], n = 0, host = 0;
    (void)time; (void)step; (void)no_state;
    if (!address || d->value[IN_SIZE] <= 0) return ERROR;
    Span view = {(const uint8_t *)(uintptr_t)address, (const uint8_t *)(uintptr_t)address + d->value[IN_SIZE]}, body, truth = {0, 0};
    double real; int f; Object own = {0};
    while ((f = field(&view, &body, &n, &real))) if (f == 7) truth = body;
    Span s = truth;
    while ((f = field(&s, &body, &n, &real))) if (f == 3) host = identifier(body);
    s = truth;
    while ((f = field(&s, &body, &n, &real))) if (f == 5 && object(body).id == host) own = object(body);
    answer(d, host, decide(truth, own), own.yaw);
    return OK;
}

const char *fmi2GetVersion(void) { return "2.0"; }
const char *fmi2GetTypesPlatform(void) { return "default"; }
void *fmi2Instantiate(const char *name, int type, const char *guid, const char *resources, const void *functions, int visible, int log)
{
    (void)name; (void)type; (void)guid; (void)resources; (void)functions; (void)visible; (void)log;
    return calloc(1, sizeof(Driver));
}
void fmi2FreeInstance(void *driver) { free(driver); }
Status fmi2SetupExperiment(void *d, int set, double tolerance, double start, int stop, double end)
{
    (void)d; (void)set; (void)tolerance; (void)start; (void)stop; (void)end;
    return OK;
}
Status fmi2EnterInitializationMode(void *d) { (void)d; return OK; }
Status fmi2ExitInitializationMode(void *d) { (void)d; return OK; }
Status fmi2Terminate(void *d) { (void)d; return OK; }

Status fmi2SetInteger(void *driver, const uint32_t reference[], size_t count, const int32_t values[])
{
    for (size_t i = 0; i < count; i++) {
        if (reference[i] > IN_SIZE) return ERROR;
        ((Driver *)driver)->value[reference[i]] = values[i];
    }
    return OK;
}

Status fmi2GetInteger(void *driver, const uint32_t reference[], size_t count, int32_t values[])
{
    for (size_t i = 0; i < count; i++) {
        if (reference[i] > OUT_SIZE) return ERROR;
        values[i] = ((Driver *)driver)->value[reference[i]];
    }
    return OK;
}

/* Functions of the standard that this driver does not need; a loader wants to find them. */
#define NONE(name) Status fmi2##name(void) { return ERROR; }
NONE(CancelStep) NONE(DeSerializeFMUstate) NONE(FreeFMUstate) NONE(GetBoolean) NONE(GetBooleanStatus)
NONE(GetDirectionalDerivative) NONE(GetFMUstate) NONE(GetIntegerStatus) NONE(GetReal) NONE(GetRealOutputDerivatives)
NONE(GetRealStatus) NONE(GetStatus) NONE(GetString) NONE(GetStringStatus) NONE(Reset) NONE(SerializeFMUstate)
NONE(SerializedFMUstateSize) NONE(SetBoolean) NONE(SetDebugLogging) NONE(SetFMUstate) NONE(SetReal)
NONE(SetRealInputDerivatives) NONE(SetString)
