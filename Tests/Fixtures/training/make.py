"""What PyTorch's schedulers and optimisers give: make.py > golden.json (torch 2.13)."""

import json
import math

import torch

STEPS_PER_EPOCH, EPOCHS = 7, 10
STEPS = STEPS_PER_EPOCH * EPOCHS
SCHEDULERS = torch.optim.lr_scheduler


def rates(make, peak=0.2, per_epoch=False):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=peak)
    scheduler = make(optimizer)
    values = []
    for step in range(STEPS):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < STEPS and (not per_epoch or (step + 1) % STEPS_PER_EPOCH == 0):
            scheduler.step()
    return values


def paper(until, floor):
    """The schedule of the SWA authors' program (timgaripov/swa, train.py), which the SmartDeal
    authors use, written from its description."""

    def factor(epoch):
        t = epoch / until
        if t <= 0.5:
            return 1.0
        return 1.0 - (1.0 - floor) * (t - 0.5) / 0.4 if t <= 0.9 else floor

    return lambda optimizer: SCHEDULERS.LambdaLR(optimizer, factor)


def run(make):
    """Five updates of six values by fixed gradients; the learning rate halves after three."""
    torch.manual_seed(0)
    parameter = torch.nn.Parameter(torch.randn(6))
    start = parameter.tolist()
    gradients = torch.randn(5, 6)
    optimizer = make([parameter])
    values = []
    for step in range(5):
        if step == 3:
            for group in optimizer.param_groups:
                group["lr"] /= 2
        parameter.grad = gradients[step].clone()
        optimizer.step()
        values.append(parameter.tolist())
    return {"start": start, "gradients": gradients.tolist(), "values": values}


golden = {
    "steps_per_epoch": STEPS_PER_EPOCH,
    "epochs": EPOCHS,
    "peak": 0.2,
    "schedules": {
        "constant": rates(lambda o: SCHEDULERS.ConstantLR(o, factor=1.0)),
        "step": rates(lambda o: SCHEDULERS.StepLR(o, 3, gamma=0.5), per_epoch=True),
        "linear": rates(
            lambda o: SCHEDULERS.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=STEPS)
        ),
        "cosine": rates(lambda o: SCHEDULERS.CosineAnnealingLR(o, T_max=STEPS)),
        "one-cycle": rates(lambda o: SCHEDULERS.OneCycleLR(o, max_lr=0.2, total_steps=STEPS)),
        "paper": rates(paper(EPOCHS, 0.01), per_epoch=True),
        "paper-swa": rates(paper(8, 0.05 / 0.2), per_epoch=True),
    },
    "optimizers": {
        "sgd": run(lambda p: torch.optim.SGD(p, lr=0.1)),
        "momentum": run(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=5e-3)),
        "nesterov": run(
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=5e-3, nesterov=True)
        ),
        "adamw": run(lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.05)),
    },
}
assert not any(math.isnan(v) for s in golden["schedules"].values() for v in s)
print(json.dumps(golden, indent=1))
