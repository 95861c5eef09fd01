_base_ = './capeformer_tiny_puppets_1shot.py'

model = dict(head=dict(proposal_loss=None))
