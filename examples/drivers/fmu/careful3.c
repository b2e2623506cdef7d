/* A driver as FMU, FMI 3 co-simulation: plain variables in, acceleration out. Build with build.py. */
#include <stdint.h>
#include <stdlib.h>

typedef enum { OK, WARNING, DISCARD, ERROR, FATAL } Status;
typedef struct { double value[7]; } Driver;
/* value references: 1 speed, 2 desired, 3 lead_gap, 4 lead_speed; 5 acceleration */

const char *fmi3GetVersion(void) { return "3.0"; }

void *fmi3InstantiateCoSimulation(const char *name, const char *token, const char *resources, int visible, int logging,
                                  int events, int early, const uint32_t required[], size_t count, void *environment,
                                  void *log, void *update)
{
    (void)name; (void)token; (void)resources; (void)visible; (void)logging; (void)events; (void)early; (void)required;
    (void)count; (void)environment; (void)log; (void)update;
    return calloc(1, sizeof(Driver));
}

void fmi3FreeInstance(void *driver) { free(driver); }
Status fmi3EnterInitializationMode(void *d, int set, double tolerance, double start, int stop, double end)
{
    (void)d; (void)set; (void)tolerance; (void)start; (void)stop; (void)end;
    return OK;
}
Status fmi3ExitInitializationMode(void *d) { (void)d; return OK; }
Status fmi3Terminate(void *d) { (void)d; return OK; }

Status fmi3SetFloat64(void *driver, const uint32_t reference[], size_t count, const double values[], size_t n)
{
    Driver *d = driver;
    for (size_t i = 0; i < count && i < n; i++) {
        if (reference[i] > 6) return ERROR;
        d->value[reference[i]] = values[i];
    }
    return OK;
}

Status fmi3GetFloat64(void *driver, const uint32_t reference[], size_t count, double values[], size_t n)
{
    Driver *d = driver;
    for (size_t i = 0; i < count && i < n; i++) {
        if (reference[i] > 6) return ERROR;
        values[i] = d->value[reference[i]];
    }
    return OK;
}

Status fmi3DoStep(void *driver, double time, double step, int no_state, int *event, int *terminate, int *early, double *last)
{
    Driver *d = driver;
    double v = d->value[1], gap = d->value[3], closing = v - d->value[4];
    double wanted = 0.5 * (d->value[2] - v), follow = 0.3 * (gap - 2.0 - 2.0 * v) - 0.8 * closing;
    (void)no_state;
    if (follow < wanted) wanted = follow;
    if (closing > 0.0 && closing * closing > 8.0 * (gap > 1.1 ? gap - 1.0 : 0.1)) wanted = -9.0;
    d->value[5] = wanted < -9.0 ? -9.0 : wanted > 2.0 ? 2.0 : wanted;
    *event = *terminate = *early = 0;
    *last = time + step;
    return OK;
}

/* Functions of the standard that this driver does not need; a loader wants to find them. */
#define NONE(name) Status fmi3##name(void) { return ERROR; }
NONE(ActivateModelPartition) NONE(CompletedIntegratorStep) NONE(DeserializeFMUState) NONE(EnterConfigurationMode)
NONE(EnterContinuousTimeMode) NONE(EnterEventMode) NONE(EnterStepMode) NONE(EvaluateDiscreteStates)
NONE(ExitConfigurationMode) NONE(FreeFMUState) NONE(GetAdjointDerivative) NONE(GetBinary) NONE(GetBoolean)
NONE(GetClock) NONE(GetContinuousStateDerivatives) NONE(GetContinuousStates) NONE(GetDirectionalDerivative)
NONE(GetEventIndicators) NONE(GetFMUState) NONE(GetFloat32) NONE(GetInt16) NONE(GetInt32) NONE(GetInt64)
NONE(GetInt8) NONE(GetIntervalDecimal) NONE(GetIntervalFraction) NONE(GetNominalsOfContinuousStates)
NONE(GetNumberOfContinuousStates) NONE(GetNumberOfEventIndicators) NONE(GetNumberOfVariableDependencies)
NONE(GetOutputDerivatives) NONE(GetShiftDecimal) NONE(GetShiftFraction) NONE(GetString) NONE(GetUInt16)
NONE(GetUInt32) NONE(GetUInt64) NONE(GetUInt8) NONE(GetVariableDependencies) NONE(InstantiateModelExchange)
NONE(InstantiateScheduledExecution) NONE(Reset) NONE(SerializeFMUState) NONE(SerializedFMUStateSize) NONE(SetBinary)
NONE(SetBoolean) NONE(SetClock) NONE(SetContinuousStates) NONE(SetDebugLogging) NONE(SetFMUState) NONE(SetFloat32)
NONE(SetInt16) NONE(SetInt32) NONE(SetInt64) NONE(SetInt8) NONE(SetIntervalDecimal) NONE(SetIntervalFraction)
NONE(SetShiftDecimal) NONE(SetShiftFraction) NONE(SetString) NONE(SetTime) NONE(SetUInt16) NONE(SetUInt32)
NONE(SetUInt64) NONE(SetUInt8) NONE(UpdateDiscreteStates)
