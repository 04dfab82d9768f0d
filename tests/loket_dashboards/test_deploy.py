"""The files of deploy/ for monitoring: each is read by the program that it is for, or by its published schema."""

import gzip
import json
import subprocess
from pathlib import Path

import jsonschema
import yaml

from support.boards import GENERATED, boards

DEPLOY = GENERATED.parents[1] / "deploy"
SCHEMA = Path(__file__).parents[1] / "support" / "compose-spec.json.gz"
"""The Compose specification's schema (github.com/compose-spec/compose-spec, Apache-2.0)."""


def test_promtool_reads_the_configuration_with_the_rules_beside_it(promtool: Path, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_bytes((DEPLOY / "prometheus" / "prometheus.yml").read_bytes())
    (tmp_path / "rules").symlink_to(GENERATED / "prometheus")
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 rule files found" in done.stdout


def test_the_jobs_that_the_rules_name_are_scraped() -> None:
    content = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {job["job_name"] for job in content["scrape_configs"]}
    rules = (GENERATED / "prometheus" / "loket-alerts.yml").read_text(encoding="utf-8")
    for job in ("loket-worker", "loket-sink"):
        assert f'job="{job}"' in rules
        assert job in jobs


def test_the_compose_file_is_one_by_the_specification() -> None:
    content = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(json.loads(gzip.decompress(SCHEMA.read_bytes()))).validate(content)
    for service in content["services"].values():
        for volume in service["volumes"]:
            here = volume.partition(":")[0]
            if here.startswith("."):
                assert (DEPLOY / here).exists(), volume


def test_grafana_is_told_of_every_dashboard_and_every_data_source_of_theirs() -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    providers = yaml.safe_load((folder / "dashboards" / "loket.yaml").read_text(encoding="utf-8"))["providers"]
    paths = {provider["options"]["path"].removeprefix("/var/lib/grafana/loket/") for provider in providers}
    assert paths == {"id/boards", "id/employees"}
    assert all((GENERATED / "grafana" / path).is_dir() for path in paths)
    assert len({provider["folderUid"] for provider in providers}) == 2
    sources = yaml.safe_load((folder / "datasources" / "loket.yaml").read_text(encoding="utf-8"))["datasources"]
    provided = {source["type"] for source in sources}
    asked = {
        variable["query"]
        for board in boards("id").values()
        for variable in board["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert asked == provided
