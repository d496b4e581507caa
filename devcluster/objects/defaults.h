// SPDX-License-Identifier: MIT
/* What a real API server adds to an object before it is validated and stored. Each takes the whole object; texts go to
 * its arena. source: k8s.io/kubernetes pkg/apis/<group>/<version>/defaults.go */
#pragma once

#include "core/base/arena.h"
#include "devcluster/base/doc.h"

void defaults_namespace(struct arena *a, struct doc *root);
void defaults_pod(struct arena *a, struct doc *root);
void defaults_service(struct arena *a, struct doc *root); /* clusterIP is the store's: see address.h */
void defaults_secret(struct arena *a, struct doc *root);  /* stringData becomes data */
void defaults_pvc(struct arena *a, struct doc *root);
void defaults_statefulset(struct arena *a, struct doc *root);
void defaults_gateway(struct arena *a, struct doc *root);
void defaults_httproute(struct arena *a, struct doc *root);
void defaults_deployment(struct arena *a, struct doc *root);
void defaults_replicaset(struct arena *a, struct doc *root);
void defaults_ingress(struct arena *a, struct doc *root);
void defaults_networkpolicy(struct arena *a, struct doc *root);
void defaults_cluster_v1alpha1(struct arena *a, struct doc *root);
void defaults_cluster_v1(struct arena *a, struct doc *root);
void defaults_rolebinding(struct arena *a, struct doc *root);
