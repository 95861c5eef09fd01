"""Parameter names of the published checkpoints -> ours.

A table of renamings and pure functions on dicts; nothing else in the project
knows the published names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Callable, NamedTuple, TypeVar

T = TypeVar('T')
Rule = tuple[str, 'str | Callable[[re.Match[str]], str]']


def _offset_branch(match: re.Match[str]) -> str:
    # linear layers only: the published sequence counts activations as well
    branch, position = match[1], int(match[2])
    return f'decoder.offset_branches.{branch}.layers.{position // 2}.'


_LAYER = r'^transformer\.{}\.(layers\.\d+)\.{}\.'

_CAPEFORMER_HEAD: Sequence[Rule] = (
    (r'^input_proj\.', 'query_proj.'),
    (r'^query_proj\.', 'support_proj.'),
    (r'^support_embedding\.', 'identifier.table.'),
    (r'^kpt_branch\.(\d+)\.mlp\.(\d+)\.', _offset_branch),
    (
        r'^transformer\.proposal_generator\.support_proj\.',
        'proposal_generator.keypoint_proj.',
    ),
    (
        r'^transformer\.proposal_generator\.dynamic_proj\.',
        'proposal_generator.channel_attention.',
    ),
    (r'^transformer\.decoder\.ref_point_head\.', 'decoder.position_mlp.'),
    (_LAYER.format('decoder', 'multihead_attn'), r'decoder.\1.cross_attn.'),
    (_LAYER.format('decoder', 'choker'), r'decoder.\1.cross_proj.'),
    (_LAYER.format('decoder', 'norm2'), r'decoder.\1.cross_norm.'),
    (_LAYER.format('decoder', 'norm3'), r'decoder.\1.feed_forward.norm.'),
    (_LAYER.format('encoder', 'norm2'), r'encoder.\1.feed_forward.norm.'),
    (
        _LAYER.format('(..)coder', 'self_attn'),
        r'\1coder.\2.self_attn.attention.',
    ),
    (_LAYER.format('(..)coder', 'norm1'), r'\1coder.\2.self_attn.norm.'),
    (
        _LAYER.format('(..)coder', '(linear[12])'),
        r'\1coder.\2.feed_forward.\3.',
    ),
    (r'^transformer\.', ''),
)

_POMNET_HEAD: Sequence[Rule] = (
    (r'^input_proj\.', 'query_proj.'),
    (r'^query_proj\.', 'support_proj.'),
    (r'^relation_model\.conv\.conv\.', 'matcher.relation.'),
    (r'^relation_model\.conv\.bn\.', 'matcher.relation_norm.'),
    (r'^deconv_layers\.', 'matcher.upsample.'),
    (r'^final_layer\.', 'matcher.final.'),
    (r'^transformer\.decoder\.post_norm\.', 'decoder.norm.'),
    (
        _LAYER.format('(..)coder', r'attentions\.0\.attn'),
        r'\1coder.\2.self_attn.attention.',
    ),
    (
        _LAYER.format('decoder', r'attentions\.1\.attn'),
        r'decoder.\1.cross_attn.',
    ),
    (
        _LAYER.format('(..)coder', r'ffns\.0\.layers\.0\.0'),
        r'\1coder.\2.feed_forward.linear1.',
    ),
    (
        _LAYER.format('(..)coder', r'ffns\.0\.layers\.1'),
        r'\1coder.\2.feed_forward.linear2.',
    ),
    (
        _LAYER.format('(..)coder', r'norms\.0'),
        r'\1coder.\2.self_attn.norm.',
    ),
    (_LAYER.format('decoder', r'norms\.1'), r'decoder.\1.cross_norm.'),
    (_LAYER.format('encoder', r'norms\.1'), r'encoder.\1.feed_forward.norm.'),
    (_LAYER.format('decoder', r'norms\.2'), r'decoder.\1.feed_forward.norm.'),
)


class PublishedModel(NamedTuple):
    """How a published model names its parameters."""

    name: str
    head: Sequence[Rule]
    """Renamings of head parameters; the first pattern that matches applies."""
    backbones: Mapping[str, str]
    """Published name of a backbone -> ours."""


CAPEFORMER = PublishedModel(
    'CapeFormer',
    _CAPEFORMER_HEAD,
    # one backbone, stored twice
    {'encoder_sample': 'backbone', 'encoder_query': 'backbone'},
)
POMNET = PublishedModel(
    'POMNet',
    _POMNET_HEAD,
    {'encoder_sample': 'support_backbone', 'encoder_query': 'backbone'},
)


def recognise(names: Iterable[str]) -> PublishedModel:
    """Which model has these parameters, of a head or of a whole checkpoint."""
    matches = any('relation_model.' in name for name in names)
    return POMNET if matches else CAPEFORMER


def rename(name: str, rules: Sequence[Rule]) -> str:
    """Our name of a published parameter; unchanged where no rule matches."""
    for pattern, replacement in rules:
        renamed, hits = re.subn(pattern, replacement, name)
        if hits:
            return renamed
    return name


def rename_keys(
    state_dict: Mapping[str, T], rules: Sequence[Rule]
) -> dict[str, T]:
    """Apply :func:`rename` to every key."""
    return {rename(name, rules): value for name, value in state_dict.items()}


def rename_model(name: str, model: PublishedModel) -> str:
    """Our name of a parameter of a whole published model."""
    part, _, rest = name.partition('.')
    if part == 'keypoint_head':
        return f'head.{rename(rest, model.head)}'
    if part in model.backbones:
        return f'{model.backbones[part]}.{rest}'
    return name
