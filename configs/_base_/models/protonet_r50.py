_base_ = './capeformer_r50.py'

model = dict(
    head=dict(
        _delete_=True,
        type='ProtoNetHead',
        codec={{_base_.codec}},
        metric='cosine',
        temperature=0.05,
        learn_temperature=True,
        pooling=dict(type='KeypointPooling'),
        heatmap_loss=dict(type='SimilarityCrossEntropyLoss'),
        decoding='argmax',
    ),
)
