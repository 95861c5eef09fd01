# Small enough for two CPU cores, from random weights.
_base_ = './capeformer_tiny.py'

model = dict(
    head=dict(
        _delete_=True,
        type='ProtoNetHead',
        codec={{_base_.codec}},
        metric='cosine',
        temperature=0.05,
        learn_temperature=True,
        heatmap_loss=dict(type='SimilarityCrossEntropyLoss'),
        decoding='argmax',
    ),
)
