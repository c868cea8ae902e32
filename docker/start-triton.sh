#!/bin/sh
# Adds the one flag that carries a secret, so that neither the compose file nor
# `docker inspect` shows it. The process list does: keep the host's closed.
set -eu
key=$(cat "${SECRETS_FOLDER:-/run/secrets}/MINDTWIN_TRITON_ADMIN_KEY")
case $key in
  '' | *[!0-9A-Za-z_-]*)
    echo "MINDTWIN_TRITON_ADMIN_KEY must hold letters, digits, - and _ only" >&2
    exit 1
    ;;
esac
exec tritonserver "$@" \
  "--grpc-restricted-protocol=model-repository,model-config,shared-memory,trace,logging:admin-key=$key"
