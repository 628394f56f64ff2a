# The image of uws-echo and uws-echo-bench. docs/deploying.md says how to build and run it, and
# docs/decisions/0004-container.md why it is made this way.

# Debian 13 has a glibc of 2.38 or newer, which uWebSockets.js needs on Node 24. To pin every byte, use a digest:
# --build-arg NODE_IMAGE=node:24-trixie-slim@sha256:...
ARG NODE_IMAGE=node:24-trixie-slim
# The base of the final image, if different. Without a shell and a package manager:
# --build-arg RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian13
ARG RUNTIME_IMAGE=${NODE_IMAGE}

# Selects the packages: package.json and its lock, with another uWebSockets.js if requested.
FROM ${NODE_IMAGE} AS manifest
WORKDIR /app
COPY package.json package-lock.json ./
# Empty uses the package of the lock. The official release, which is not in the npm registry:
# --build-arg UWEBSOCKETS_SPEC=github:uNetworking/uWebSockets.js#v20.x.y
ARG UWEBSOCKETS_SPEC=""
# A site's own registry, proxy and credentials: --secret id=npmrc,src=$HOME/.npmrc
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
    case "$UWEBSOCKETS_SPEC" in \
      github:* | git*) \
        apt-get update \
        && apt-get install -y --no-install-recommends ca-certificates git \
        && rm -rf /var/lib/apt/lists/* ;; \
    esac \
    && if [ -n "$UWEBSOCKETS_SPEC" ]; then \
      npm install --package-lock-only --save-exact --ignore-scripts "uWebSockets.js@$UWEBSOCKETS_SPEC"; \
    fi

# Installs the dependencies of the two programs.
FROM manifest AS dependencies
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --ignore-scripts
# The package has a binary for each platform and Node ABI, 250 MB in total. Keeps only the one for this Node, and loads it.
RUN cd node_modules/uWebSockets.js \
    && binary=$(node -p '`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`') \
    && find . -mindepth 1 -maxdepth 1 \
      ! -name "$binary" ! -name package.json ! -name uws.js ! -name ESM_wrapper.mjs ! -name LICENSE ! -name source_commit \
      -exec rm -r {} + \
    && node -e 'require("uWebSockets.js")'
# A bill of materials, for scanners.
RUN npm run --silent build:sbom > sbom.cdx.json
# Deletes the packages' own tests, typings and source maps, a third of the rest.
RUN find node_modules -depth \
      \( -type d \( -name test -o -name tests -o -name .github \) -exec rm -r {} + \) -o \
      \( -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \) -delete \)

# Compiles dist/.
FROM manifest AS build
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
COPY bench bench
RUN npm run build && find dist \( -name '*.d.ts' -o -name '*.map' \) -delete

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="uws-echo" \
      org.opencontainers.image.description="A WebSocket echo server on uWebSockets.js with Prometheus metrics, and its load harness" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/uws-echo/uws-echo" \
      org.opencontainers.image.url="https://github.com/uws-echo/uws-echo" \
      org.opencontainers.image.documentation="https://github.com/uws-echo/uws-echo/tree/main/docs" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The images of distroless have Node in /nodejs.
ENV NODE_ENV=production PATH=/nodejs/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /app
COPY --from=manifest /app/package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=dependencies /app/sbom.cdx.json ./
COPY LICENSE ./
# The user `node` of the base image, as a number: Kubernetes can check runAsNonRoot only on a number.
USER 1000:1000
EXPOSE 9998
STOPSIGNAL SIGTERM
# The health check reads the same UWS_ECHO_* variables as the server, but not its flags: in a container, use variables.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "dist/src/cli.js", "health"]
ENTRYPOINT ["node", "dist/src/cli.js"]
