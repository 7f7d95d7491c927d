#!/usr/bin/env python3
"""Copies rooms of the sources with the bugs of a file planted in them, to be chosen at run time.

    plant.py PLANTS SOURCES OUTPUT ROOM...

Beside the copies, OUTPUT/plants.h names the bugs. Fails where a bug's place is not found exactly once: then the source has
changed, and the bug must be planted anew.
"""
import pathlib
import sys
import tomllib

HEADER = """// Made from sim/plants.toml.
#pragma once

#include <string_view>

namespace windlass::sim {{

enum class Plant {{ none, {names} }};

/// The bug that is planted for now.
inline Plant planted = Plant::none;

struct PlantedBug {{
  std::string_view name;
  Plant plant;
  std::string_view story;
}};
inline constexpr PlantedBug planted_bugs[] = {{
{bugs}
}};

/// False where there is no bug of this name.
inline bool plant(std::string_view name) {{
  for (const PlantedBug& bug : planted_bugs) {{
    if (bug.name != name) continue;
    planted = bug.plant;
    return true;
  }}
  return false;
}}

}}  // namespace windlass::sim
"""


def main() -> int:
    plants_file, sources, output = map(pathlib.Path, sys.argv[1:4])
    plants = tomllib.loads(plants_file.read_text())
    files = {path.relative_to(sources).as_posix(): path.read_text()
             for room in sys.argv[4:] for path in sorted((sources / room).iterdir())}
    planted_in = set()
    for name, bug in plants.items():
        found = files[bug["file"]].count(bug["replace"])
        if found != 1:
            print(f"{plants_file}: {name}: its place stands {found} times in {bug['file']}: {bug['replace']!r}",
                  file=sys.stderr)
            return 1
        hook = f"(::windlass::sim::planted == ::windlass::sim::Plant::{name})"
        files[bug["file"]] = files[bug["file"]].replace(bug["replace"], bug["with"].replace("PLANTED", hook))
        planted_in.add(bug["file"])
    bugs = "\n".join(f'    {{"{name}", Plant::{name}, "{bug["story"]}"}},' for name, bug in plants.items())
    files["plants.h"] = HEADER.format(names=", ".join(plants), bugs=bugs)
    for name, text in files.items():
        if name in planted_in:
            text = '#include "plants.h"\n' + text
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
