#ifndef SMARTDEAL_CZLIB_SHIM_H
#define SMARTDEAL_CZLIB_SHIM_H
#include <zlib.h>
#endif
