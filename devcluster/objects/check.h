// SPDX-License-Identifier: MIT
/* Validation: what a real API server refuses with 422, for the fields this project's clients write. Each adds causes to
 * `f` and returns; the caller makes the Status. source: pkg/apis/<group>/validation of Kubernetes. */
#pragma once

#include "devcluster/base/doc.h"
#include "devcluster/base/fail.h"

void check_meta(struct fail *f, const struct doc *root, int name_rule);

void check_pod(struct fail *f, const struct doc *root);
void check_pod_change(struct fail *f, const struct doc *before, const struct doc *after);
/* path: "spec" or "spec.template.spec". */
void check_pod_spec(struct fail *f, const struct doc *spec, const char *path);
void check_service(struct fail *f, const struct doc *root);
void check_service_change(struct fail *f, const struct doc *before, const struct doc *after);
void check_secret(struct fail *f, const struct doc *root);
void check_secret_change(struct fail *f, const struct doc *before, const struct doc *after);
void check_configmap(struct fail *f, const struct doc *root);
void check_pvc(struct fail *f, const struct doc *root);
void check_pvc_change(struct fail *f, const struct doc *before, const struct doc *after);
void check_statefulset(struct fail *f, const struct doc *root);
void check_statefulset_change(struct fail *f, const struct doc *before, const struct doc *after);
void check_gateway(struct fail *f, const struct doc *root);
void check_httproute(struct fail *f, const struct doc *root);
void check_deployment(struct fail *f, const struct doc *root);
void check_deployment_change(struct fail *f, const struct doc *before, const struct doc *after);
void check_replicaset(struct fail *f, const struct doc *root);
void check_ingress(struct fail *f, const struct doc *root);
void check_role(struct fail *f, const struct doc *root);
void check_rolebinding(struct fail *f, const struct doc *root);
void check_rolebinding_change(struct fail *f, const struct doc *before, const struct doc *after);
void check_cluster_v1alpha1(struct fail *f, const struct doc *root);
void check_cluster_v1(struct fail *f, const struct doc *root);
