"""The example that the README shows is examples/readme.cpp, which is compiled and run.

usage: readme_test.py README.md readme.cpp
"""

import pathlib
import re
import sys

readme, example = (pathlib.Path(path).read_text() for path in sys.argv[1:])
blocks = re.findall(r"^```(?:cpp|c\+\+)\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
if example not in blocks:
    sys.exit(f"the README has no block of C++ that equals {sys.argv[2]}")
