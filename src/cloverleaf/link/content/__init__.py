"""SI content <-> the standards' bytes. Wire integers live behind this package only.

    content = Content(base_map, "csae_day2")            # or csae_day1, etsi, sae
    buffer, start = content.encode(kind, batch)         # kind: MessageKind; for TOPOLOGY batch is an array of station ids
    batch, error = content.decode(kind, buffer, start)  # error: (n,) u8, 0 good; a bad message still has its (zero) row

Message i is `buffer[start[i]:start[i + 1]]`. Per kind and standard:

| kind | CSAE | ETSI | SAE |
|---|---|---|---|
| AWARENESS | BSM | CAM | BSM, part I |
| SIGNAL | SPAT | SPATEM | SPAT |
| TOPOLOGY | MAP | MAPEM | MAP |
| PERCEPTION | RSM up to 16 objects; day 2: SSM beyond | CPM | CSAE day 2: SDSM is not openly specified |
| ADVICE | RSC (phase 2; both editions) | RSC: ETSI has no such message | RSC |
| EVENT | RSI | DENM | CSAE day 2: TIM is not openly specified |

What a standard cannot carry is lost on the way; each module's docstring says what. Short wire times (ms of the minute, tenths of
the hour) are resolved to the simulation time nearest to `content.frame.now`, which `encode` sets to the latest time it saw.
"""
