"""Counts test cases in what Bazel reported of one `bazel test`, and names those that failed."""

import argparse
import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree


def cases_of(xml_path):
    """(passed, failed names, skipped) of one test.xml."""
    passed, failed, skipped = 0, [], 0
    for case in ElementTree.parse(xml_path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname', '')}.{case.get('name')}".lstrip("."))
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=pathlib.Path, help="Bazel's --build_event_json_file")
    args = parser.parse_args()

    passed, failed, skipped = 0, [], 0
    ran = set()
    wanted = set()
    for line in args.events.read_text().splitlines():
        event = json.loads(line)
        kind = event["id"]
        if "configured" in event and event["configured"].get("testSize"):
            wanted.add(kind["targetConfigured"]["label"])
        if "testResult" not in event:
            continue
        label = kind["testResult"]["label"]
        ran.add(label)
        result = event["testResult"]
        paths = [
            urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
            for output in result.get("testActionOutput", [])
            if output["name"] == "test.xml"
        ]
        case_failures = []
        for path in paths:
            more_passed, case_failures, more_skipped = cases_of(path)
            passed += more_passed
            skipped += more_skipped
            failed += [f"{label} {name}" for name in case_failures]
        if result["status"] != "PASSED" and not case_failures:
            failed.append(f"{label} ({result['status'].lower().replace('_', ' ')})")
    failed += [f"{label} (not built or not run)" for label in sorted(wanted - ran)]

    for name in failed:
        print(f"failed: {name}", file=sys.stderr)
    print(passed, len(failed), skipped)


if __name__ == "__main__":
    main()
