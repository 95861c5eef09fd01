_base_ = './capeformer_r50_mp100-split1_1shot.py'

model = dict(
    head=dict(
        identifier=None,
        encoder=dict(type='QueryEncoder'),
        decoder=None,
        refine_loss=None,
    )
)
