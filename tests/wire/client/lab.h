// SPDX-License-Identifier: MIT
/* What every test of the client needs: a loop, clients of several identities and ways, calls that are waited for, one
 * kind in a cache kept by a watch, and the lab's hand on server and network (lab.py). */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/arena.h"
#include "core/base/json_read.h"
#include "k8s/cache.h"
#include "k8s/client.h"
#include "k8s/watch.h"

enum { LAB_MS = 240000 }; /* longer than anything here takes; passing it fails the test */

#define MERGE_PATCH "application/merge-patch+json"
#define APPLY_PATCH "application/apply-patch+yaml"

struct lab {
    struct loop *loop;
    struct fetch *fetch;
    struct arena *arena; /* of answers and texts; lives as long as the lab */
    struct kube *owner;  /* may do everything in the namespace */
    struct kube *admin;
    const char *ns;
    const char *run; /* in the names of this run's objects */
    const char *dir;
    bool is_real;
    int control;
};

/* Ends the program when it does not run under lab.py. */
int lab_setup(void **state);
int lab_teardown(void **state);

/* A client with $LAB_DIR/NAME.kubeconfig; the caller's. */
struct kube *lab_client(struct lab *lab, const char *name);
/* One word to lab.py; the loop goes on until it is done. Fails the test when it cannot be. */
void lab_do(struct lab *lab, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Runs the loop until is_true(arg), asked every few milliseconds; fails the test after LAB_MS, naming it by what. */
void lab_until(struct lab *lab, bool (*is_true)(void *arg), void *arg, const char *what);

/* ---- calls that are waited for ---- */

struct lab_call {
    const char *method;
    const char *path;
    const char *content_type; /* NULL: application/json */
    const char *body;         /* NULL: none */
    ms_t timeout_ms;          /* 0: long enough */
};
struct lab_answer {
    bool is_done;
    struct err err;
    const struct json_value *object; /* in the lab's arena; NULL: an error, or no JSON */
    struct arena *arena;
};
/* Sends it; lab_end waits for what it answers. */
void lab_begin(struct lab *lab, struct kube *kube, struct lab_call call, struct lab_answer *ret);
void lab_end(struct lab *lab, struct lab_answer *a);
struct lab_answer lab_ask(struct lab *lab, struct kube *kube, struct lab_call call);
/* As lab_ask; fails the test when the answer is an error. */
const struct json_value *lab_must(struct lab *lab, struct kube *kube, struct lab_call call);
/* "/api/v1/namespaces/NS/REST" and "/apis/apps/v1/namespaces/NS/REST" */
const char *lab_core(struct lab *lab, const char *rest);
const char *lab_apps(struct lab *lab, const char *rest);
const char *lab_text(struct lab *lab, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* metadata.KEY of an object, "" if it has none. */
const char *lab_meta(struct lab *lab, const struct json_value *object, const char *key);

/* ---- Deployments without a pod: of the project "lab-RUN", or of nobody ---- */

const char *lab_deployment(struct lab *lab, const char *name, bool is_ours);
void lab_make(struct lab *lab, const char *name);
void lab_change(struct lab *lab, const char *name); /* its generation grows by one */
void lab_delete(struct lab *lab, const char *name);

/* ---- one kind, watched ---- */

struct sight {
    struct lab *lab;
    struct kube *kube;
    struct cache *cache;
    struct watch *watch;
    enum kube_kind kind;
};
/* Watches with the client of that name, and waits for the first list. */
void sight_open(struct sight *s, struct lab *lab, const char *client, enum kube_kind kind);
/* The same with streams of timeout_s seconds. */
void sight_open_for(struct sight *s, struct lab *lab, const char *client, enum kube_kind kind, unsigned timeout_s);
void sight_close(struct sight *s);
struct watch_stats sight_stats(const struct sight *s);
enum { SIGHT_GONE = 0, SIGHT_THERE = -1 }; /* in place of a Deployment's generation */
/* Waits until the cache shows the object so. */
void sight_until(struct sight *s, const char *name, int64_t generation);
int64_t sight_generation(const struct sight *s, const char *name);
