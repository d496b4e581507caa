// SPDX-License-Identifier: MIT
/* Counts requests by verb and resource, and injects faults into the next ones, for tests and benchmarks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/io/loop.h"
#include "devcluster/base/doc.h"

struct faults;

struct fault {
    char verb[24];     /* "" or "*": any */
    char resource[64]; /* plural; "" or "*": any */
    uint64_t times;    /* how many more requests it hits */
    unsigned percent;  /* of the requests that fit; 100: each */
    uint64_t chance;   /* the state of its own dice */
    int status;        /* 429, 500, 503, 504; 0: none */
    bool is_close;     /* the connection is cut without an answer */
    ms_t delay_ms;     /* before the request is looked at (or answered) */
};

struct faults *faults_new(void);
void faults_free(struct faults *f);
/* Adds one; false when it makes no sense or 64 are there. */
bool faults_add(struct faults *f, const struct doc *spec);
void faults_clear(struct faults *f);
/* The first that hits; counted down. False: none. */
bool faults_take(struct faults *f, const char *verb, struct str resource, struct fault *ret);
void faults_count(struct faults *f, const char *verb, struct str resource);
/* {"total": n, "requests": {"create deployments": n, …}} */
struct doc *faults_counts(const struct faults *f, struct arena *a);
