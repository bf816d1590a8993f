// lanes_body.h - convolutions over kept rows in batch lanes. Included by every instruction set's
// lanes.c inside its target region; SDK_VARIANT(name) names the functions, SDK_PART is the number
// of lanes a register holds, SDK_LONGEST the longest run of pixels whose sums fit the registers,
// SDK_OUTPUTS the outputs of a tile of the weight gradient.
//
// The input of a tile of pixels is copied with its padding into a panel that stays in the cache,
// so that the inner loops meet no edges: a run of pixels of one output keeps its sums in registers
// over all kept rows of a chunk of channels; for the weight gradient, the products of a few
// outputs and a few taps are summed over all pixels of a tile.
#include "lanes_panel.h"
#include "lanes_correlate.h"
#include "lanes_gradient.h"

#undef UNROLL
