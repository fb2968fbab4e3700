# Two images of one recipe: --target cpu, with Debian's LibTorch, and --target gpu, with one that has CUDA.
# What has to be installed, only the script ./pipelines knows.

FROM mcr.microsoft.com/dotnet/sdk:10.0.100-noble AS dotnet

# The release whose LibTorch the program is written against.
FROM debian:12.11-slim AS base
COPY --from=dotnet /usr/share/dotnet /usr/share/dotnet
COPY --from=dotnet /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PATH=/usr/share/dotnet:$PATH \
    DOTNET_CLI_TELEMETRY_OPTOUT=1 \
    DOTNET_NOLOGO=1 \
    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    MALLOC_ARENA_MAX=1 \
    PIPELINES_DATA=/data
WORKDIR /pipelines
RUN useradd --create-home --uid 10001 pipelines && install -d -o pipelines -g pipelines /data
VOLUME /data
ENTRYPOINT ["/pipelines/artifacts/bin/Cli/release/pipelines"]

FROM base AS cpu
COPY . .
RUN ./pipelines build && rm -rf /root/.nuget /var/lib/apt/lists
USER pipelines

FROM busybox:1.37.0 AS libtorch
ARG LIBTORCH_URL
ADD ${LIBTORCH_URL} /libtorch.zip
RUN unzip -q /libtorch.zip -d /opt

FROM base AS gpu
COPY --from=libtorch /opt/libtorch /opt/libtorch
# The script asks the system for no LibTorch then; the driver comes from the host.
ENV LIBTORCH=/opt/libtorch \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY . .
RUN ./pipelines build && rm -rf /root/.nuget /var/lib/apt/lists
USER pipelines
