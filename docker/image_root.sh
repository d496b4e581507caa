#!/bin/sh
# SPDX-License-Identifier: MIT
# The whole file system of the image: what build/release/fullstackd loads, authorities, the dashboard. usage: image_root.sh DIR
set -eu
cd "$(dirname -- "$0")/.."
root=$1

put() {
    mkdir -p "$root$(dirname "$2")"
    cp -L "$1" "$root$2"
}

put build/release/fullstackd /usr/bin/fullstackd
# "name => path (address)", and the loader as "path (address)".
ldd build/release/fullstackd | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    put "$library" "$library"
done
put /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
mkdir -p "$root/etc" "$root/tmp" "$root/usr/share/fullstackd/web"
chmod 1777 "$root/tmp"
printf 'fullstackd:x:65532:65532::/:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'fullstackd:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
cp -R web/dist/. "$root/usr/share/fullstackd/web/"
cp LICENSE "$root/usr/share/fullstackd/"
