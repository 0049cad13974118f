/* SPDX-License-Identifier: MIT */
/* Error numbers that the API returns negated; the same on every Linux we run on. Layer: lib. */
#ifndef KM_LIB_ERRNO_H
#define KM_LIB_ERRNO_H

#define ENOENT	2
#define EIO	5
#define ENOMEM	12
#define EBUSY	16
#define EINVAL	22

#endif
