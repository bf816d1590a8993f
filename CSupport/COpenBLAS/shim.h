#ifndef SMARTDEAL_COPENBLAS_SHIM_H
#define SMARTDEAL_COPENBLAS_SHIM_H
#include <cblas.h>
#endif
