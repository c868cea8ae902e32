"""The compose files as a careful reader checks them: no engine is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text("utf-8"))
GPU: dict[str, Any] = yaml.safe_load((DOCKER / "compose.gpu.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
SETTINGS = ROOT / "backend" / "settings"
RUNNING = ("web", "worker", "triton", "postgres", "redis", "ehr")

# Of the Compose Specification, what these files use; another word is a typing error
# until somebody has looked it up.
TOP = {"name", "services", "networks", "volumes", "secrets"}
SERVICE = set(
    re.findall(
        r"\w+",
        "build cap_drop command depends_on deploy entrypoint environment group_add "
        "healthcheck image logging networks ports profiles read_only restart secrets "
        "security_opt shm_size stop_grace_period tmpfs user volumes",
    )
)
INNER = {
    "build": {"context", "dockerfile", "target"},
    "healthcheck": {
        "test",
        "interval",
        "timeout",
        "retries",
        "start_period",
        "disable",
    },
    "deploy": {"resources"},
    "logging": {"driver", "options"},
}
DURATION = re.compile(r"\d+(ms|s|m|h)")
# A variable that may be empty, with a default, or whose absence stops the start.
OPERATORS = re.compile(r"\$\{MINDTWIN_[A-Z_]+(:-[^}]*|:\?[^}]*)\}")


def flags(service: str) -> list[str]:
    return [str(word) for word in SERVICES[service]["command"]]


def mounts(service: str) -> list[tuple[str, str, str]]:
    """Source, target and mode of each volume; colons inside `${...}` do not count."""
    found = []
    for text in SERVICES[service]["volumes"]:
        source, target, *mode = re.split(r":(?![^{]*\})", text)
        found.append((source, target, mode[0] if mode else "rw"))
    return found


@pytest.mark.parametrize("file", [COMPOSE, GPU], ids=["compose", "gpu"])
def test_only_known_words_are_used(file: dict[str, Any]) -> None:
    assert {key for key in file if not key.startswith("x-")} <= TOP
    for service in file["services"].values():
        assert set(service) <= SERVICE
        for key, known in INNER.items():
            assert set(service.get(key, {})) <= known
        check = service.get("healthcheck", {})
        for key in {"interval", "timeout", "start_period"} & set(check):
            assert DURATION.fullmatch(check[key])


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == {*RUNNING, "manage"}
    assert SERVICES["manage"]["profiles"] == ["commands"]
    assert SERVICES["ehr"]["profiles"] == ["ehr"]


@pytest.mark.parametrize("service", SERVICES)
def test_all_that_is_named_is_declared(service: str) -> None:
    one = SERVICES[service]
    assert set(one["networks"]) <= set(COMPOSE["networks"])
    assert set(one.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert set(one.get("depends_on", {})) <= set(SERVICES)
    for source, _, _ in mounts(service):
        if re.fullmatch(r"[a-z]+", source):
            assert source in COMPOSE["volumes"]
    for other, how in one.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]


@pytest.mark.parametrize("service", SERVICES)
def test_each_part_may_do_little(service: str) -> None:
    one = SERVICES[service]
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["read_only"] is (service != "ehr")
    assert one["restart"] == ("no" if service == "manage" else "unless-stopped")
    assert set(one["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert one.get("user", "10001") not in {"0", "0:0", "root"}
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(one)


@pytest.mark.parametrize("service", SERVICES)
def test_images_are_pinned(service: str) -> None:
    name, _, tag = SERVICES[service]["image"].rpartition(":")
    assert name
    assert re.search(r"\d+\.\d+", tag)
    assert tag != "latest"


@pytest.mark.parametrize("service", ["web", "worker", "manage", "triton"])
def test_our_images_come_from_the_dockerfile(service: str) -> None:
    build = SERVICES[service]["build"]
    dockerfile = (DOCKER / build["context"] / build["dockerfile"]).read_text("utf-8")
    assert f" AS {build['target']}\n" in dockerfile


def test_only_the_web_publishes_and_only_to_the_proxy_of_this_host() -> None:
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_only_the_site_and_the_ehr_reach_the_outside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name in SERVICES if "outside" in SERVICES[name]["networks"]}
    assert outside == {"web", "worker", "manage", "ehr"}
    assert SERVICES["ehr"]["networks"] == ["outside"]


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_from_the_host_exists_or_is_the_operators(service: str) -> None:
    writers = set()
    for source, target, mode in mounts(service):
        if source in COMPOSE["volumes"]:
            continue
        default = re.match(r"\$\{MINDTWIN_[A-Z]+:-(.*?)\}", source)
        if default:
            assert (DOCKER / default[1]).is_dir()
        else:
            assert re.match(r"\$\{MINDTWIN_(PRIVATE|CANDIDATES):\?", source)
        if mode != "ro":
            writers.add(target)
    # Whoever publishes writes versions; nobody else writes to the host.
    assert writers == ({"/models"} if service == "manage" else set())


def test_triton_and_the_site_read_the_same_models() -> None:
    sources = {
        service: next(s for s, target, _ in mounts(service) if "model" in target)
        for service in ("web", "worker", "manage", "triton")
    }
    assert len(set(sources.values())) == 1


@pytest.mark.parametrize(
    "flag",
    [
        "--model-repository=/models",
        "--model-control-mode=explicit",
        "--disable-auto-complete-config",
        "--strict-readiness=false",
        "--allow-http=false",
        "--grpc-use-ssl=1",
        "--grpc-use-ssl-mutual=1",
        "--grpc-server-cert=/tls/server.pem",
        "--grpc-server-key=/tls/server.key",
        "--grpc-root-cert=/tls/ca.pem",
    ],
)
def test_triton_runs_with_the_production_flags(flag: str) -> None:
    assert flag in flags("triton")


def test_triton_caches_nothing_and_loads_nothing_by_itself() -> None:
    words = " ".join(flags("triton"))
    for forbidden in ("cache", "load-model", "repository-poll", "allow-http=true"):
        assert forbidden not in words


def test_the_control_protocol_of_triton_is_restricted_at_its_start() -> None:
    assert flags("triton")[0] == "start-triton.sh"
    script = (DOCKER / "start-triton.sh").read_text("utf-8")
    restricted = re.search(r"--grpc-restricted-protocol=([a-z,-]+):admin-key=", script)
    assert restricted
    assert set(restricted[1].split(",")) == {
        "model-repository",
        "model-config",
        "shared-memory",
        "trace",
        "logging",
    }


@pytest.mark.parametrize("service", ["web", "worker", "manage"])
def test_the_site_gets_every_variable_of_the_settings(service: str) -> None:
    text = (SETTINGS / "production.py").read_text("utf-8")
    for module in re.findall(r"from backend\.settings\.(\w+) import", text):
        text += (SETTINGS / f"{module}.py").read_text("utf-8")
    asked = set(re.findall(r'"(MINDTWIN_[A-Z_]+)"', text))
    assert len(asked) > 15
    given = set(SERVICES[service]["environment"]) | set(SERVICES[service]["secrets"])
    # Who only serves must not be able to sign.
    assert asked - given <= ({"MINDTWIN_SIGNING_KEY"} if service != "manage" else set())
    assert "MINDTWIN_SIGNING_KEY" not in given or service == "manage"


def test_nothing_in_the_files_is_secret() -> None:
    named = re.compile(r"(KEY|TOKEN|PASSWORD|SECRET|URL|TOKENS)(_FILE)?$")
    public = {
        "MINDTWIN_TRITON_URL": "triton:8001",
        "spring.datasource.url": "jdbc:h2:mem:ehr",
    }
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if named.search(name.upper()) and public.get(name) != value:
                assert str(value).startswith(("/run/", "file:/tls/"))
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("${MINDTWIN_PRIVATE:?}/")
    for path in DOCKER.iterdir():
        if path.is_file() and path.name != ".env":  # the operator's own, not tracked
            text = path.read_text("utf-8")
            # 24 or more of base64 or hex at once: a key, were it ours.
            long = re.findall(r"(?<![\w/-])(?=\S*\d)[A-Za-z0-9+/]{24,}={0,2}", text)
            assert long == [], path.name
            assert "PRIVATE KEY-----" not in text


def test_the_gpu_file_overrides_only_triton() -> None:
    assert set(GPU) == {"services"}
    assert set(GPU["services"]) == {"triton"}
    assert set(GPU["services"]["triton"]) == {"environment", "deploy"}
    (device,) = GPU["services"]["triton"]["deploy"]["resources"]["reservations"][
        "devices"
    ]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}


def test_models_leave_the_kind_of_device_to_the_server() -> None:
    for config in (ROOT / "model_repository").glob("*/config.pbtxt"):
        assert "kind:" not in config.read_text("utf-8")


def test_every_variable_of_the_operator_is_in_the_example() -> None:
    text = (DOCKER / "compose.yml").read_text("utf-8")
    example = (DOCKER / "example.env").read_text("utf-8")
    for name in re.findall(r"\$\{(MINDTWIN_[A-Z_]+):\?[^}]+\}", text):
        assert re.search(rf"^{name}=\S", example, flags=re.MULTILINE)
    assert not re.findall(r"\$\{[A-Z_]+\}", text)  # each has a default or stops
    assert OPERATORS.search(text)


def test_the_client_reads_the_files_where_there_is_one() -> None:
    """Asserts on the parsed files; a compose client, where installed, must agree."""
    assert SERVICES["web"]["image"] == SERVICES["worker"]["image"]
    docker = shutil.which("docker")
    if not docker:
        return
    compose = [docker, "compose"]
    known = subprocess.run([*compose, "version"], capture_output=True, check=False)
    if known.returncode:
        return
    files = ["-f", "compose.yml", "-f", "compose.gpu.yml", "--env-file", "example.env"]
    subprocess.run([*compose, *files, "config", "--quiet"], cwd=DOCKER, check=True)
