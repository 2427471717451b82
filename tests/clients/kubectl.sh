#!/usr/bin/env bash
# kubectl, unchanged, against the embedded API. KUBECONFIG names it; KUBECTL may name the program.
set -euo pipefail
kubectl=${KUBECTL:-kubectl}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
k() { "$kubectl" "$@"; }
fail() { echo "kubectl: $*" >&2; exit 1; }
is() { [ "$2" = "$3" ] || fail "$1: expected '$3', got '$2'"; }
has() { case "$2" in *"$3"*) ;; *) fail "$1: expected '$3' in: $2";; esac; }

cat > web.yaml <<'Y'
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop, labels: {app: web}}
data: {color: red}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {selector: {app: web}, ports: [{port: 80}]}
Y
has apply "$(k apply -f web.yaml)" "deployment.apps/web created"
has "apply again" "$(k apply -f web.yaml)" "deployment.apps/web unchanged"
has "rollout status" "$(k -n shop rollout status deployment/web --timeout=30s)" "successfully rolled out"
k -n shop wait --for=condition=Available deployment/web --timeout=30s > /dev/null
k -n shop wait --for=jsonpath='{.status.readyReplicas}'=2 deployment/web --timeout=30s > /dev/null
is "get -o jsonpath" "$(k -n shop get deployment web -o jsonpath='{.spec.replicas}')" 2
has "get" "$(k -n shop get all)" "deployment.apps/web"
has "describe" "$(k -n shop describe deployment web)" "NewReplicaSetAvailable"
has "logs" "$(k -n shop logs deployment/web 2>&1)" "simulated"

sed 's/color: red/color: blue/' web.yaml > changed.yaml
code=0; text=$(k diff -f changed.yaml) || code=$?
is "diff tells" "$code" 1; has diff "$text" "+  color: blue"
has "server-side apply" "$(k apply --server-side --field-manager=me -f changed.yaml --force-conflicts 2>&1)" "serverside-applied"
text=$(k apply --server-side --field-manager=you -f web.yaml 2>&1) && fail "a conflict went unnoticed"
has conflict "$text" "conflict"

has "patch strategic" "$(k -n shop patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"b"}]}]}}}}')" patched
is "strategic result" "$(k -n shop get deployment web -o jsonpath='{.spec.template.spec.containers[0].image}')" nginx
has "patch merge" "$(k -n shop patch configmap settings --type=merge -p '{"data":{"color":null,"size":"5"}}')" patched
has "patch json" "$(k -n shop patch configmap settings --type=json -p '[{"op":"add","path":"/data/z","value":"y"}]')" patched
is "patched" "$(k -n shop get configmap settings -o jsonpath='{.data}')" '{"size":"5","z":"y"}'
has scale "$(k -n shop scale deployment web --replicas=1)" scaled
has label "$(k -n shop label configmap settings tier=front)" labeled
has edit "$(EDITOR="sed -i s/front/back/" k -n shop edit configmap settings)" edited
is edited "$(k -n shop get configmap settings -o jsonpath='{.metadata.labels.tier}')" back

has explain "$(k explain deployment.spec.strategy)" "RollingUpdate"
has "explain --recursive" "$(k explain service --recursive)" "sessionAffinityConfig"
has "api-resources" "$(k api-resources --namespaced=true -o name)" "deployments.apps"
has "api-versions" "$(k api-versions)" "networking.k8s.io/v1"
has "auth can-i" "$(k auth can-i create deployments)" yes
is "auth can-i as nobody" "$(k auth can-i create deployments --as=nobody || true)" no
has "auth whoami" "$(k auth whoami)" "system:masters"
has "create token" "$(k create token default | tr -d '\n' | head -c 3)" ey

cat > crd.yaml <<'Y'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {size: {type: integer, minimum: 1, description: how large}}}}
Y
k apply -f crd.yaml > /dev/null
k wait --for=condition=Established crd/widgets.example.com --timeout=10s > /dev/null
has "explain of a custom kind" "$(k explain widget.spec.size)" "how large"
printf 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 0}\n' > widget.yaml
text=$(k apply -f widget.yaml 2>&1) && fail "an invalid object was taken"
has validation "$text" "should be greater than or equal to 1"
sed -i 's/size: 0/size: 2/' widget.yaml
has "custom object" "$(k apply -f widget.yaml)" "widget.example.com/a created"
has "short name" "$(k get wd)" a

cat > kept.yaml <<'Y'
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, namespace: shop, labels: {set: one}}
Y
cat > gone.yaml <<'Y'
apiVersion: v1
kind: ConfigMap
metadata: {name: gone, namespace: shop, labels: {set: one}}
Y
k apply -f kept.yaml -f gone.yaml -l set=one > /dev/null
has "apply --prune" "$(k apply --prune -n shop -l set=one --prune-allowlist=core/v1/ConfigMap -f kept.yaml 2>&1)" "configmap/gone pruned"
has delete "$(k delete namespace shop --timeout=30s)" deleted
text=$(k get namespace shop 2>&1) && fail "the namespace is still there"
has "not found" "$text" NotFound
echo "kubectl: well"
