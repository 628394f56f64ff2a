#!/usr/bin/env bash
# Writes the root file system of a stand-in for the image node:24-trixie-slim to the standard output, as a tar: for machines
# that reach Debian and npm but no container registry. It is what the Dockerfile's base promises, for tests: never publish it.
# Needs root, debootstrap and npm. DEBIAN_MIRROR selects another mirror.
set -euo pipefail

node=24.21.0
npm=11.21.2

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

{
  debootstrap --variant=minbase trixie "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}

  npm install --prefix "$work/npm" --no-save --ignore-scripts --no-audit --no-fund \
    "node-linux-$(node -p process.arch)@$node" "npm@$npm"
  install -m 755 "$work/npm/node_modules/node-linux-$(node -p process.arch)/bin/node" "$root/usr/local/bin/node"
  mkdir "$root/usr/local/lib/node_modules"
  cp -r "$work/npm/node_modules/npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"

  chroot "$root" groupadd --gid 1000 node
  chroot "$root" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
} >&2

tar -C "$root" --numeric-owner -c .
