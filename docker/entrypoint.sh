#!/bin/sh
# Secrets arrive as files named after their variable; the settings read variables.
set -eu
for file in "${SECRETS_FOLDER:-/run/secrets}"/MINDTWIN_*; do
  [ -f "$file" ] || continue
  value=$(cat "$file")
  export "${file##*/}=$value"
done
exec "$@"
