#!/bin/sh
# Install VS Code (as code-server, from npm) into .vscode-test/ and see that a Chromium is there.
set -eu
cd "$(dirname "$0")/../.."
version=4.139.1
directory=.vscode-test

if ! command -v chromium >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
    else
        echo "Chromium is not installed: install the package chromium, then run this again." >&2
        exit 1
    fi
fi

if [ "$(cat $directory/version 2>/dev/null)" != "$version" ]; then
    rm -rf $directory
    mkdir -p $directory
    echo '{ "private": true }' >$directory/package.json
    npm install --prefix $directory --ignore-scripts --no-audit --no-fund --loglevel=error "code-server@$version"
    npm install --prefix $directory/node_modules/code-server/lib/vscode --omit=dev --ignore-scripts --no-audit \
        --no-fund --loglevel=error
    echo "$version" >$directory/version
fi
