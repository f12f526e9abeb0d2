"""A server on 127.0.0.1 that answers as OpenML's API does, with faults on demand.

Descriptions, features, qualities and tables are those that scikit-learn's wheel holds,
recorded from the server; tasks, splits and lists are made up in the form that the
package `openml` reads.
"""

import gzip
import json
import re
import socket
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse
from xml.sax.saxutils import escape

import sklearn

RECORDED = Path(sklearn.__file__).parent / "datasets/tests/data/openml"
API = "/api/v1/xml"
SPACE = 'xmlns:oml="http://openml.org/openml"'
HTML = "<html><body><h1>Bad Gateway</h1></body></html>"


def recorded(number, kind):
    path = RECORDED / f"id_{number}" / f"api-v1-{kind}-{number}.json.gz"
    return json.loads(gzip.decompress(path.read_bytes()))


def table(number):
    [path] = (RECORDED / f"id_{number}").glob("data-v1-dl-*.arff.gz")
    return gzip.decompress(path.read_bytes())


def element(tag, value):
    if isinstance(value, list):
        return "".join(element(tag, each) for each in value)
    if isinstance(value, dict):
        value = "".join(element(*item) for item in value.items())
    else:
        value = escape(str(value))
    return f"<oml:{tag}>{value}</oml:{tag}>"


def document(tag, content):
    return f"<oml:{tag} {SPACE}>{content}</oml:{tag}>"


def error(code, message):
    return document("error", element("code", code) + element("message", message))


class OpenMLServer:
    """Tasks by number, each of a recorded dataset.

    ``runs`` are those of its evaluation lists: setup, flow and its name, task, function
    and value; ``setups`` have a list of the parameters of each: flow, name, value.
    ``faults[part of a path]`` is a list of what is done to the next requests for it.
    """

    def __init__(self, tasks):
        self.tasks = dict(tasks)
        self.targets, self.descriptions = {}, defaultdict(dict)
        self.runs, self.setups = [], {}
        self.faults, self.requests = {}, []
        handler = type("Handler", (_Handler,), {"owner": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.url = f"{self.address}{API}/"
        # It is closed after every test, within the seconds between two looks.
        threading.Thread(
            target=self.http.serve_forever, args=[0.01], daemon=True
        ).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def answer(self, path):
        """Return status and body."""
        for pattern, method in [
            (rf"{API}/study/([\w-]+)", self._suite),
            (rf"{API}/task/(\d+)", self._task),
            (rf"{API}/data/(\d+)", self._description),
            (rf"{API}/data/features/(\d+)", self._features),
            (rf"{API}/data/qualities/(\d+)", self._qualities),
            (rf"{API}/data/list/.*data_id/(\d+).*", self._list),
            (rf"{API}/evaluation/list/(.*)", self._evaluations),
            (rf"{API}/setup/list/setup/([\d,]+)/.*", self._setups),
            (rf"{API}/user/list/user_id/([\d,]+)", self._users),
            (r"/data/v1/download/(\d+)/.*", self._table),
            (r"/splits/(\d+)\.arff", self._splits),
        ]:
            found = re.fullmatch(pattern, path.replace("//", "/"))
            if found:
                return method(found[1])
        return 412, error(100, f"Function not valid: {path}")

    def _suite(self, name):
        if name not in ("99", "OpenML-CC18"):
            return 412, error(600, "Unknown study")
        parts = {
            "id": 99,
            "alias": "OpenML-CC18",
            "main_entity_type": "task",
            "name": "Tasks of the tests",
            "description": "none",
            "status": "active",
            "creation_date": "2019-02-21 18:47:13",
            "creator": 1,
            "data": {"data_id": list(self.tasks.values())},
            "tasks": {"task_id": list(self.tasks)},
        }
        content = "".join(element(*item) for item in parts.items())
        return 200, document("study", content)

    def _task(self, number):
        if int(number) not in self.tasks:
            return 412, error(151, "Unknown task")
        dataset = self.tasks[int(number)]
        default = recorded(dataset, "jd")["data_set_description"]
        target = self.targets.get(
            int(number), default.get("default_target_attribute", "")
        )
        procedure = {
            "id": 1,
            "type": "crossvalidation",
            "data_splits_url": f"{self.address}/splits/{number}.arff",
        }
        parameters = "".join(
            f'<oml:parameter name="{name}">{value}</oml:parameter>'
            for name, value in [
                ("number_repeats", 1),
                ("number_folds", 5),
                ("percentage", ""),
                ("stratified_sampling", "true"),
            ]
        )
        inputs = {
            "source_data": element(
                "data_set", {"data_set_id": dataset, "target_feature": target}
            ),
            "estimation_procedure": element("estimation_procedure", procedure).replace(
                "</oml:estimation_procedure>",
                f"{parameters}</oml:estimation_procedure>",
            ),
            "cost_matrix": "<oml:cost_matrix></oml:cost_matrix>",
            "evaluation_measures": element(
                "evaluation_measures", {"evaluation_measure": "predictive_accuracy"}
            ),
        }
        content = element("task_id", number) + element("task_type_id", 1)
        content += element("task_type", "Supervised Classification")
        content += "".join(
            f'<oml:input name="{name}">{value}</oml:input>'
            for name, value in inputs.items()
        )
        return 200, document("task", content)

    def _description(self, number):
        values = recorded(number, "jd")["data_set_description"]
        values["url"] = re.sub("^https?://[^/]+", self.address, values["url"])
        values |= self.descriptions[int(number)]
        return 200, document(
            "data_set_description",
            "".join(element(k, v) for k, v in values.items() if v is not None),
        )

    def _features(self, number):
        features = recorded(number, "jdf")["data_features"]["feature"]
        head = table(number).decode().lower()
        for feature in features:
            # Older recordings lack the levels, which the table has.
            if feature["data_type"] == "nominal" and not feature.get("nominal_value"):
                name = re.escape(feature["name"].lower())
                levels = re.search(rf"@attribute\s+'?{name}'?\s*{{(.*?)}}", head)[1]
                feature["nominal_value"] = [x.strip(" '") for x in levels.split(",")]
        return 200, document("data_features", element("feature", features))

    def _qualities(self, number):
        qualities = recorded(number, "jdq")["data_qualities"]["quality"]
        known = [
            {"name": q["name"], "value": q["value"]}
            for q in qualities
            if isinstance(q.get("value"), str)
        ]
        return 200, document("data_qualities", element("quality", known))

    def _list(self, number):
        values = recorded(number, "jd")["data_set_description"]
        values |= self.descriptions[int(number)]
        dataset = {
            "did": number,
            "name": values["name"],
            "version": values["version"],
            "status": values.get("status", "active"),
            "format": values["format"],
            "file_id": values.get("file_id", 1),
        }
        return 200, document("data", element("dataset", dataset))

    def _evaluations(self, filters):
        words = iter(filters.split("/"))
        asked = dict(zip(words, words, strict=True))
        tasks, flows = (
            [int(n) for n in asked.get(name, "").split(",") if n]
            for name in ("task", "flow")
        )
        numbered = [
            (number, run)
            for number, run in enumerate(self.runs, start=500)
            if run["function"] == asked["function"]
            and run["task"] in tasks
            and (not flows or run["flow"] in flows)
        ]
        start, size = int(asked["offset"]), int(asked["limit"])
        page = numbered[start : start + size]
        if not page:
            return 412, error(542, "No results")
        return 200, document(
            "evaluations",
            element("evaluation", [self._evaluation(*each) for each in page]),
        )

    def _evaluation(self, number, run):
        known = {
            "run_id": number,
            "task_id": run["task"],
            "setup_id": run["setup"],
            "flow_id": run["flow"],
            "flow_name": run["name"],
            "data_id": self.tasks[run["task"]],
            "data_name": "a table",
            "function": run["function"],
            "upload_time": "2017-01-01 00:00:00",
            "uploader": 1,
            "value": run["value"],
        }
        return {name: value for name, value in known.items() if value is not None}

    def _setups(self, numbers):
        found = [int(n) for n in numbers.split(",") if int(n) in self.setups]
        if not found:
            return 412, error(674, "No results")
        parts = [
            {
                "setup_id": number,
                "flow_id": 1,
                "parameter": [
                    {
                        "id": position,
                        "flow_id": 1,
                        "flow_name": flow,
                        "full_name": f"{flow}(16)_{name}",
                        "parameter_name": name,
                        "data_type": "",
                        "default_value": "null",
                        "value": value,
                    }
                    for position, (flow, name, value) in enumerate(self.setups[number])
                ],
            }
            for number in found
        ]
        return 200, document("setups", element("setup", parts))

    def _users(self, numbers):
        return 200, document("users", element("user", {"id": 1, "username": "user"}))

    def _table(self, file):
        for dataset in set(self.tasks.values()):
            if recorded(dataset, "jd")["data_set_description"]["file_id"] == file:
                return 200, table(dataset)
        return 404, error(600, "File not found")

    def _splits(self, number):
        n_rows = table(self.tasks[int(number)]).lower().split(b"@data")[1].split()
        n_rows = len([row for row in n_rows if row and not row.startswith(b"%")])
        rows = [
            f"{'TEST' if row % 5 == fold else 'TRAIN'},{row},0,{fold}"
            for fold in range(5)
            for row in range(n_rows)
        ]
        head = ["@relation splits", "@attribute type {TRAIN,TEST}"]
        head += [f"@attribute {name} numeric" for name in ("rowid", "repeat", "fold")]
        return 200, "\n".join([*head, "@data", *rows, ""])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        path = unquote(urlparse(self.path).path)
        self.owner.requests.append(path)
        status, body = self.owner.answer(path)
        body = body.encode() if isinstance(body, str) else body
        fault = next(
            (
                waiting.pop(0)
                for part, waiting in self.owner.faults.items()
                if part in path and waiting
            ),
            None,
        )
        length = len(body)
        if fault == "database busy":
            status, body = 412, error(107, "Database connection error").encode()
        elif fault == "no qualities":
            status, body = 412, error(362, "No qualities found").encode()
        elif fault == "qualities failed":
            status, body = 412, error(364, "Dataset processed with error").encode()
        elif fault == "unavailable":
            status, body = 503, b"<html><body>busy<br></body></html>"
        elif fault == "well-formed 502":
            status, body = 502, HTML.encode()
        elif fault == "plain 412":
            status, body = 412, b"failed to perform action generate_folds."
        elif fault == "empty":
            body = b""
        elif fault == "half the lines":
            body = body[: body.rindex(b"\n", 0, length // 2) + 1]
        elif fault == "half":
            body = body[: length // 2]
        elif fault == "silent":
            time.sleep(60)
        elif fault == "reset":
            self._hang_up()
            return
        if fault != "cut":
            length = len(body)
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body[: length // 2] if fault == "cut" else body)
        if fault == "cut":
            self._hang_up()

    def _hang_up(self):
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
