#!/bin/sh
# A cluster, a Deployment of three replicas behind a Service, and a request through the Service.
set -eu
cd "$(dirname -- "$0")/.."
./kubets up --install --detach "$@"
kubectl() { ./kubets kubectl "$@"; }
kubectl apply -f samples/hello.yaml
kubectl rollout status deployment/web --timeout=120s
kubectl get pods
node=$(kubectl get nodes -o 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}')
port=$(kubectl get service web -o 'jsonpath={.spec.ports[0].nodePort}')
echo "\$ curl http://$node:$port/"
if command -v curl >/dev/null; then curl -sS "http://$node:$port/"; else busybox wget -qO- "http://$node:$port/"; fi
