# SPDX-License-Identifier: MIT
# Building: the C programs with CMake presets, the dashboard with npm. Nothing here installs or starts anything.

JOBS=$(nproc 2>/dev/null || echo 2)

# A build folder remembers the place it was made for; a moved or copied checkout starts over.
drop_foreign_cache() {
    [ -f "build/$1/CMakeCache.txt" ] || return 0
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "build/$1/CMakeCache.txt" || rm -rf "build/$1"
}

# cmake_build PRESET TARGET...
cmake_build() {
    preset=$1
    shift
    drop_foreign_cache "$preset"
    step "configure-$preset" "Configuring ($preset)" cmake --preset "$preset" ||
        die "CMake could not configure" "See $LOG_DIR/configure-$preset.log"
    make_run_dir
    build_began=$(now_s)
    printf 'Building (%s) ... ' "$preset"
    # All errors at once (-k 0), and of the log only what failed.
    if cmake --build "build/$preset" -j "$JOBS" ${1:+--target "$@"} -- -k 0 >"$LOG_DIR/build-$preset.log" 2>&1 </dev/null; then
        printf 'done (%s s)\n' "$(($(now_s) - build_began))"
        return 0
    fi
    printf 'FAILED\n'
    grep -E -A 8 '^FAILED:|error:|undefined reference|CMake Error|ninja: error' "$LOG_DIR/build-$preset.log" | grep -vE '^\[|/cc -|/clang -|^--$' |
        head -n 80 >&2
    die "the build failed" "See $LOG_DIR/build-$preset.log" "Repeat it:  cmake --preset $preset && cmake --build build/$preset"
}

is_dashboard_current() {
    [ -f web/dist/index.html ] || return 1
    # Only the sources count: dist and node_modules are made from them.
    [ -z "$(find web -name node_modules -prune -o -path web/dist -prune -o -type f -newer web/dist/index.html -print |
        head -n 1)" ]
}

# npm_install FOLDER NAME: from the lock file, and only when that has changed.
npm_install() {
    if [ -f "$1/node_modules/.installed" ] && [ -z "$(find "$1/package-lock.json" -newer "$1/node_modules/.installed")" ]; then
        return 0
    fi
    step "npm-$2" "Installing the npm packages of $1" npm ci --prefix "$1" --no-audit --no-fund || return 1
    touch "$1/node_modules/.installed"
}

# build_dashboard: web/dist from the sources; a dist that is there is taken when npm is not or cannot.
build_dashboard() {
    [ -f web/package.json ] || return 0
    if is_dashboard_current; then
        return 0
    fi
    if have npm && have node; then
        if npm_install web dashboard && step build-dashboard "Building the dashboard" npm_build_dashboard; then
            return 0
        fi
    fi
    if [ -f web/dist/index.html ]; then
        warn "Going on with the web/dist that is here."
        return 0
    fi
    die "the dashboard could not be built and there is no web/dist" \
        "Repeat it:  cd web && npm ci && node build.mjs"
}

npm_build_dashboard() {
    (cd web && node build.mjs)
}

# web_packages: the set of packages the dashboard needs, or nothing when it is built already.
web_packages() {
    is_dashboard_current || printf 'web\n'
}

verb_build() {
    # shellcheck disable=SC2046
    need build $(web_packages)
    # Named so that a missing program is an error here and not later.
    cmake_build release fullstackd devcluster
    build_dashboard
    say "build/release/fullstackd, build/release/devcluster, web/dist"
}
