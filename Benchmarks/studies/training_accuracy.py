"""What training in SmartDeal form costs in accuracy: ResNet-20 on Fashion-MNIST, several seeds.

    python training_accuracy.py SMARTDEAL FOLDER [--study full|retrain|adapt]... [--seeds S...] [--threads T]

Each study compares runs of `smartdeal train` that differ in one thing:

- full: from random weights, dense and in SmartDeal form, whose 14 epochs take less time than 10 dense ones;
- retrain: the dense network of `full`, trained on with a decomposition after every epoch, against itself;
- adapt: trained dense on five classes, then adapted to the other five, dense and in SmartDeal form.

A run is a folder in FOLDER; one that was stopped goes on, one that is done is not repeated. Bits depend on the
number of threads, accuracies only by chance. Writes what FOLDER has to Benchmarks/results/training_accuracy.json
and prints it as a table.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results" / "training_accuracy.json"
COMMON = ["--network", "resnet20", "--dataset", "fashion-mnist"]
# Ten times smaller without pruning, spread over layers as `compress --bits` does it for the dense network.
RETRAIN_BITS = 3.65
RETRAIN = {"retrain": "true", "learning-rate": 0.02, "schedule": "cosine"}
ADAPT = {"pretrain-epochs": 1}

# Study -> run -> options of `train`; the first run of a study is what the others are held against, by points
# that they may lose.
STUDIES = {
    "full": {
        "dense": ["--form", "dense", "--epochs", "10"],
        "smartdeal": ["--form", "smartdeal", "--epochs", "14"],
    },
    "retrain": {
        "dense": None,  # that of `full`
        "retrained": ["--form", "dense", "--epochs", "1"],
    },
    "adapt": {
        "dense": ["--form", "dense", "--task", "adapt", "--epochs", "2"],
        "smartdeal": ["--form", "smartdeal", "--task", "adapt", "--epochs", "2"],
    },
}
LIMITS = {"full": 0.7, "retrain": 0.5, "adapt": 1.0}


def write_yaml(path: Path, values: dict) -> Path:
    path.write_text("".join(f"{key}: {value}\n" for key, value in values.items()))
    return path


def folder_of(folder: Path, study: str, run: str, seed: int) -> Path:
    if STUDIES[study][run] is None:
        study = "full"
    return folder / f"{study}-{run}-{seed}"


def spread_recipe(smartdeal: str, model: Path) -> dict:
    """The symbols and widths of every layer that `compress --bits` chooses."""
    report = json.loads(subprocess.run(
        [smartdeal, "compress", str(model), "--dry-run", "--bits", str(RETRAIN_BITS), "--json", "--quiet"],
        check=True, capture_output=True, text=True).stdout)
    layers = {tensor["name"]: {"nibbles": tensor["nibbles_per_row"], "basis-width": tensor["basis_width"]}
              for tensor in report["tensors"] if tensor["compressed"]}
    return {"mode": "best", "layers": json.dumps(layers)}


def train(options: argparse.Namespace, study: str, run: str, seed: int) -> None:
    """Does a run, or what is left of it."""
    arguments = STUDIES[study][run]
    output = folder_of(options.folder, study, run, seed)
    if arguments is None:
        train(options, "full", run, seed)
    if arguments is None or (output / "summary.json").exists():
        return
    extra: list[str] = []
    if run == "retrained":
        source = folder_of(options.folder, "full", "dense", seed)
        recipe = write_yaml(options.folder / f"retrain-recipe-{seed}.yaml",
                            spread_recipe(options.smartdeal, source / "model.onnx"))
        config = write_yaml(options.folder / "retrain.yaml", RETRAIN)
        extra = ["--recipe", str(recipe), "--config", str(config), "--source", str(source)]
    elif study == "adapt":
        extra = ["--config", str(write_yaml(options.folder / "adapt.yaml", ADAPT))]
    command = [options.smartdeal, "train", *COMMON, *arguments, *extra, "--seed", str(seed),
               "--threads", str(options.threads), "-o", str(output)]
    if (output / "checkpoint").exists():
        command.append("--resume")
    print("+", " ".join(command), file=sys.stderr, flush=True)
    # Threads of libraries that are not used would only spin.
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": str(options.threads)})


def stored_ratio(smartdeal: str, run: Path) -> float:
    """How many times smaller than floats the weights of a run's model are."""
    report = json.loads(subprocess.run([smartdeal, "inspect", str(run / "model.onnx"), "--json", "--quiet"],
                                       check=True, capture_output=True, text=True).stdout)
    return report["weights_ratio"]


def collect(smartdeal: str, folder: Path) -> dict:
    """Means and spreads of all runs that are done."""
    result: dict = {}
    for study, runs in STUDIES.items():
        rows: dict = {}
        for run in runs:
            summaries = [json.loads(path.read_text())
                         for path in sorted(folder_of(folder, study, run, 0).parent.glob(
                             folder_of(folder, study, run, 0).name[:-1] + "*/summary.json"))]
            if not summaries:
                continue
            accuracies = [100 * summary["test_accuracy"] for summary in summaries]
            rows[run] = {
                "seeds": [summary["seed"] for summary in summaries],
                "test_accuracy": [round(accuracy, 2) for accuracy in accuracies],
                "mean": round(statistics.mean(accuracies), 2),
                "deviation": round(statistics.stdev(accuracies), 2) if len(accuracies) > 1 else None,
                # Of weights that are dense while they learn, as they are stored.
                "weights_ratio": round(
                    stored_ratio(smartdeal, folder_of(folder, study, run, summaries[0]["seed"]))
                    if run == "retrained" else summaries[0]["ledger"]["weights_ratio"], 2),
                "model_bytes": summaries[0]["model_bytes"],
                "optimizer_bytes": summaries[0]["ledger"]["run"]["optimizer"],
                "epochs": summaries[0]["epochs"],
            }
        if rows:
            result[study] = {"limit_points": LIMITS[study], "runs": rows}
    return result


def show(result: dict) -> bool:
    """Prints the table; whether every study holds its limit."""
    holds = True
    print("study    run        epochs  test accuracy by seed          mean  loses  weights smaller  optimizer")
    for study, content in result.items():
        reference = None
        for run, row in content["runs"].items():
            reference = row["mean"] if reference is None else reference
            loss = reference - row["mean"]
            holds = holds and loss <= content["limit_points"]
            seeds = "  ".join(f"{accuracy:.2f}" for accuracy in row["test_accuracy"])
            print(f"{study:8} {run:10} {row['epochs']:6}  {seeds:29} {row['mean']:5.2f}  {loss:5.2f}"
                  f"  {row['weights_ratio']:14.2f}x  {row['optimizer_bytes'] / 1e3:6.0f} kB")
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("smartdeal")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--study", action="append", choices=list(STUDIES))
    parser.add_argument("--run", action="append", help="only runs of this name")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for study in options.study or STUDIES:
        for seed in options.seeds:
            for run in STUDIES[study]:
                if options.run is None or run in options.run:
                    train(options, study, run, seed)
    result = collect(options.smartdeal, options.folder)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if show(result) else 1


if __name__ == "__main__":
    sys.exit(main())
