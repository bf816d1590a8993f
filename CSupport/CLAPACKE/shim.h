#ifndef SMARTDEAL_CLAPACKE_SHIM_H
#define SMARTDEAL_CLAPACKE_SHIM_H
// LAPACKE's complex types need <complex.h>; only the real routines are used, so plain structs do.
#define LAPACK_COMPLEX_STRUCTURE
#include <lapacke.h>
#endif
