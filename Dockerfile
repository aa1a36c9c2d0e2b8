# Builds with the same `make build` that everybody runs; `make docker-steps` runs
# the RUN lines of this file where no container engine is at hand.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make build
RUN mkdir -p out/data

# Nothing but the binary and the roots of trust: no shell, no libraries.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/bin/portico /portico
# The only folder that is written to: state, audit, and files of local storages.
# A path like data/portico.db in the config lies in it.
COPY --from=build --chown=65532:65532 /src/out/data /data
VOLUME /data
WORKDIR /
# A number, so that Kubernetes' runAsNonRoot can see that it is not root.
USER 65532:65532
EXPOSE 8080
# Asks http://127.0.0.1:8080/readyz; for another address add "--url".
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD ["/portico", "healthcheck"]
ENTRYPOINT ["/portico"]
CMD ["serve", "--config", "/etc/portico/portico.yaml"]
