"""kill -9 at random moments: kill_training.py SMARTDEAL [--kills N] [--seed N]

A run that is killed again and again and resumed each time must end with the bytes of one that was
not, and at no moment may a file be half-written.
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

FIXTURE = pathlib.Path(__file__).resolve().parent.parent / "Fixtures" / "fashion_mnist_2000"
CONFIG = """\
network: lenet5
dataset: data
form: smartdeal
epochs: {epochs}
batch: 50
learning-rate: 0.02
limit: 2000
test-limit: 500
swa: {{start: 1}}
"""


def check_files(folder):
    """Every file that is there is whole."""
    log = folder / "log.jsonl"
    if log.exists():
        for line in log.read_text().splitlines():
            json.loads(line)
    for path in folder.glob("checkpoint/*.safetensors"):
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
        assert len(data) == 8 + length + max(ends), path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("smartdeal")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    tool = str(pathlib.Path(options.smartdeal).resolve())
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        (work / "data").mkdir()
        for split in ("train", "t10k"):
            for kind in ("images-idx3", "labels-idx1"):
                shutil.copy(
                    FIXTURE / f"t10k-{kind}-ubyte.gz", work / "data" / f"{split}-{kind}-ubyte.gz"
                )
        (work / "run.yaml").write_text(CONFIG.format(epochs=max(3, options.kills)))

        def command(folder, *more):
            return [tool, "train", "--config", "run.yaml", "-o", folder, "--threads", "1", *more]

        start = time.monotonic()
        subprocess.run(command("whole", "--quiet"), cwd=work, check=True, capture_output=True)
        seconds = time.monotonic() - start
        kills, resumes, positions = 0, 0, []
        while True:
            process = subprocess.Popen(
                command("killed", "--quiet", "--resume"),
                cwd=work,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            resumes += 1
            # Early moments are as likely as late ones, and every run gets a little further.
            limit = chance.uniform(0, 1.6 * seconds / options.kills)
            try:
                output, errors = process.communicate(
                    timeout=limit if kills < options.kills else None
                )
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
                check_files(work / "killed")
                log = work / "killed" / "log.jsonl"
                done = len(log.read_text().splitlines()) if log.exists() else 0
                positions.append(f"{limit:.2f} s: {done} epochs")
                continue
            if process.returncode != 0:
                sys.exit(f"seed {options.seed}, after {kills} kills: {errors}")
            if kills < options.kills and resumes < 50 * options.kills:
                # Ended before the moment came: begin anew.
                check_files(work / "killed")
                assert (work / "killed/model.onnx").read_bytes() == (
                    work / "whole/model.onnx"
                ).read_bytes(), f"seed {options.seed}: the model differs"
                shutil.rmtree(work / "killed")
                continue
            break
        same = (work / "killed/model.onnx").read_bytes() == (work / "whole/model.onnx").read_bytes()
        left = [p.name for p in work.glob("killed/**/.*tmp-*")]
        print("\n".join(positions))
        if not same or left:
            sys.exit(f"seed {options.seed}: the model differs: {not same}, left behind: {left}")
        print(f"{kills} kills, {resumes} starts, the same bytes (seed {options.seed})")


main()
