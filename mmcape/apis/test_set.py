"""The test set that a measuring tool runs on, from its command line."""

from __future__ import annotations

import argparse

from mmengine.config import Config

from .model_loading import load_config


def add_test_set_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a model, and the test set if it is not that of its config."""
    parser.add_argument('config', help='config file or name')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--data-root', help="instead of the config's")
    parser.add_argument('--ann-file', help="instead of the config's")


def load_with_test_set(args: argparse.Namespace) -> Config:
    """Read the config and write the wanted test set into it."""
    cfg = load_config(args.config)
    data = cfg.test_dataloader.dataset
    if args.data_root is not None:
        data.data_root = args.data_root
    if args.ann_file is not None:
        data.update(ann_file=args.ann_file, split=None)
    return cfg
