"""mmcape's node under each of mmpose's registries.

Modules register with mmpose itself. But mmengine builds a config that was
inherited by ``_base_ = 'mmcape::...'`` in the scope ``mmcape``: it imports
this file and asks these nodes, which hold nothing and pass on to mmpose's.
"""

from __future__ import annotations

from mmengine.registry import Registry
from mmpose import registry as mmpose_registry


def _add_node(parent: Registry) -> Registry:
    """Adds a node that imports the same files as its parent."""
    return Registry(
        parent.name,
        parent=parent,
        scope='mmcape',
        locations=['mmcape', *parent._locations],
    )


NODES = [
    _add_node(registry)
    for registry in vars(mmpose_registry).values()
    if isinstance(registry, Registry) and registry.scope == 'mmpose'
]
