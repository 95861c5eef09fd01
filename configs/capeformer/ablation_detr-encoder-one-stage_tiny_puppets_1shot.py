_base_ = './capeformer_tiny_puppets_1shot.py'

model = dict(
    head=dict(
        identifier=None,
        encoder=dict(type='QueryEncoder'),
        decoder=None,
        refine_loss=None,
    )
)
