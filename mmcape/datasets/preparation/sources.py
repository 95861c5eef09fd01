"""The thirteen sources of MP-100, as data.

One engine (``finder.py``) reads these entries; a source that is laid out
differently needs another entry here and no code. What could not be checked
against the source itself says 'not verified'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    """Where a source keeps the image that an annotation names.

    Folders are patterns of whole path parts, held against the end of the
    folder of a file, without regard to case; ``{category}`` stands for the
    first part of the annotated name.

    Args:
        folders: Folders to look in, () for any.
        category_folders: Other ``folders`` of some categories.
        names: Other names of an image, with ``{name}`` for the annotated one.
        prefer: Folders that decide if files of equal name and size remain.
        method: What to do beyond names: 'name' nothing, 'carfusion' repairs
            names by image id and boxes, 'hdf5' extracts frames.
    """

    folders: tuple[str, ...] = ()
    category_folders: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )
    names: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    method: str = 'name'


@dataclass(frozen=True)
class Source:
    """One data set that MP-100 takes images from.

    Args:
        key: Its name on the command line.
        name: Its name in print.
        homepage: Where it is described and requested.
        licence: Terms of use, or 'not verified'.
        download: What to get.
        folders: Usual names of its folder; the first is recommended.
        layout: Where its images lie below that folder.
        categories: Image folders of MP-100 that come from it.
        rule: How to find an image.
        traps: What goes wrong with it.
    """

    key: str
    name: str
    homepage: str
    licence: str
    download: str
    folders: tuple[str, ...]
    layout: tuple[str, ...]
    categories: tuple[str, ...]
    rule: Rule = field(default_factory=Rule)
    traps: tuple[str, ...] = ()


CUB_FAMILIES: Mapping[str, tuple[str, int, int]] = {
    'grebe_body': ('Grebe', 50, 53),
    'gull_body': ('Gull', 59, 66),
    'kingfisher_body': ('Kingfisher', 79, 83),
    'sparrow_body': ('Sparrow', 113, 133),
    'tern_body': ('Tern', 141, 147),
    'warbler_body': ('Warbler', 158, 182),
    'woodpecker_body': ('Woodpecker', 187, 192),
    'wren_body': ('Wren', 193, 199),
}
"""Family, first and last of the CUB classes that MP-100 merges."""

_HDF5_TRAPS = (
    'images lie inside an HDF5 file: needs `pip install "mmcape[hdf5]"`',
    'two guides number the frames differently (as stored, or shuffled with '
    'seed 0): frames are matched by their keypoints instead; a folder of '
    'images that were extracted before cannot be verified',
)

SOURCES: tuple[Source, ...] = (
    Source(
        key='coco',
        name='COCO',
        homepage='https://cocodataset.org/#download',
        licence='annotations CC BY 4.0, images under their Flickr licences '
        '(not verified here: see the terms of use on the home page)',
        download='train2017.zip and val2017.zip (MP-100 may need one only)',
        folders=('coco', 'COCO', 'train2017'),
        layout=('train2017/000000000009.jpg', 'val2017/000000000139.jpg'),
        categories=('human_body',),
        rule=Rule(names=('COCO_train2014_{name}', 'COCO_val2014_{name}')),
    ),
    Source(
        key='300w',
        name='300W',
        homepage='https://ibug.doc.ic.ac.uk/resources/300-W/',
        licence='research, not commercial (not verified)',
        download='the images of HELEN, LFPW, AFW and iBUG; other guides '
        'found helen/trainset (2000 images) enough',
        folders=('300W', '300w'),
        layout=(
            'helen/trainset/100032540_1.jpg',
            'lfpw/testset/image_0001.png',
        ),
        categories=('human_face',),
        traps=(
            'human_face and amur_tiger_body are both named "face" in the '
            'annotation files: the first has 68 keypoints, the second 19',
        ),
    ),
    Source(
        key='aflw',
        name='AFLW',
        homepage='https://www.tugraz.at/institute/icg/research/'
        'team-bischof/learning-recognition-surveillance/downloads/aflw',
        licence='academic research after a request (not verified)',
        download='the images, after the form is granted',
        folders=('AFLW', 'aflw'),
        layout=('aflw/data/flickr/0/image00002.jpg',),
        categories=('amur_tiger_body',),
        traps=(
            'amur_tiger_body is no tiger: it holds human faces of AFLW with '
            '19 keypoints. ATRW, the tiger data set, is not needed',
        ),
    ),
    Source(
        key='onehand10k',
        name='OneHand10K',
        homepage='https://www.yangangwang.com/papers/WANG-MCC-2018-10.html',
        licence='not verified (given on request)',
        download='the images, after the form is granted',
        folders=('OneHand10K', 'onehand10k'),
        layout=('Train/source/1.jpg', 'Test/source/1.jpg'),
        categories=('human_hand',),
        rule=Rule(prefer=('Train/source',)),
        traps=(
            'the images now distributed are another edition than the one '
            'annotated, as users report (not verified): sizes differ, so '
            'keypoints would be misplaced. Such '
            'images are refused and counted as "other size"; ask the authors '
            'for the earlier edition, or go without human_hand',
            'Train and Test repeat file names: the annotated folder or size '
            'decides, else Train/source',
        ),
    ),
    Source(
        key='deepfashion2',
        name='DeepFashion2',
        homepage='https://github.com/switchablenorms/DeepFashion2',
        licence='not verified (password given on request)',
        download='train.zip, validation.zip and test.zip (the password comes '
        'after the form)',
        folders=('DeepFashion2', 'deepfashion2'),
        layout=(
            'train/image/000001.jpg',
            'validation/image/000001.jpg',
            'test/image/000001.jpg',
        ),
        categories=(
            *('long_sleeved_dress', 'long_sleeved_outwear'),
            *('long_sleeved_shirt', 'short_sleeved_dress'),
            *('short_sleeved_outwear', 'short_sleeved_shirt', 'shorts'),
            *('skirt', 'sling', 'sling_dress', 'trousers', 'vest'),
            'vest_dress',
        ),
        rule=Rule(
            folders=('train/image', 'validation/image', 'test/image'),
            prefer=('train/image',),
        ),
        traps=(
            'it is DeepFashion2, not DeepFashion as the guide of MP-100 links',
            'train, validation and test repeat file names: the annotated '
            'folder or size decides, else train/image, which two other '
            'guides use (not verified); how many were settled so is reported',
        ),
    ),
    Source(
        key='ap10k',
        name='AP-10K',
        homepage='https://github.com/AlexTheBad/AP-10K',
        licence='CC BY 4.0',
        download='ap-10k.zip',
        folders=('ap-10k', 'ap10k', 'AP-10K'),
        layout=('data/000000000001.jpg',),
        categories=tuple(
            f'{animal}_body'
            for animal in (
                *('antelope', 'beaver', 'bison', 'bobcat', 'cat', 'cheetah'),
                *('cow', 'deer', 'dog', 'elephant', 'fox', 'giraffe'),
                *('gorilla', 'hamster', 'hippo', 'horse', 'leopard', 'lion'),
                *('otter', 'panda', 'panther', 'pig', 'polar_bear', 'rabbit'),
                *('raccoon', 'rat', 'rhino', 'sheep', 'skunk'),
                *('spider_monkey', 'squirrel', 'weasel', 'wolf', 'zebra'),
            )
        ),
    ),
    Source(
        key='macaquepose',
        name='MacaquePose',
        homepage='https://www.pri.kyoto-u.ac.jp/datasets/macaquepose/'
        'index.html',
        licence='not verified',
        download='macaquepose_v1.zip',
        folders=('macaquepose', 'macaquepose_v1', 'MacaquePose', 'v1'),
        layout=('v1/images/d47f1b1ee9d3217e.jpg',),
        categories=('macaque_body',),
    ),
    Source(
        key='fly',
        name='Vinegar Fly',
        homepage='https://github.com/jgraving/DeepPoseKit-Data',
        licence='Apache 2.0',
        download='the repository: datasets/fly/annotation_data_release.h5',
        folders=('deepposekit-data', 'DeepPoseKit-Data', 'vinegar_fly'),
        layout=('datasets/fly/annotation_data_release.h5',),
        categories=('fly_body',),
        rule=Rule(
            folders=('fly', 'fly/images', 'vinegar_fly/images'), method='hdf5'
        ),
        traps=_HDF5_TRAPS,
    ),
    Source(
        key='locust',
        name='Desert Locust',
        homepage='https://github.com/jgraving/DeepPoseKit-Data',
        licence='Apache 2.0',
        download='the repository: datasets/locust/annotation_data_release.h5',
        folders=('deepposekit-data', 'DeepPoseKit-Data', 'locust'),
        layout=('datasets/locust/annotation_data_release.h5',),
        categories=('locust_body',),
        rule=Rule(folders=('locust', 'locust/images'), method='hdf5'),
        traps=_HDF5_TRAPS,
    ),
    Source(
        key='cub',
        name='CUB-200-2011',
        homepage='https://www.vision.caltech.edu/datasets/cub_200_2011/',
        licence='research and education, not commercial (not verified)',
        download='CUB_200_2011.tgz',
        folders=('CUB_200_2011', 'cub'),
        layout=('images/050.Eared_Grebe/Eared_Grebe_0001_34004.jpg',),
        categories=tuple(CUB_FAMILIES),
        rule=Rule(
            category_folders={
                category: tuple(
                    f'{number:03d}.*_{family}'
                    for number in range(first, last + 1)
                )
                for category, (family, first, last) in CUB_FAMILIES.items()
            }
        ),
        traps=(
            'a category of MP-100 is a family: the images of several classes '
            'are merged into one folder',
        ),
    ),
    Source(
        key='carfusion',
        name='CarFusion',
        homepage='http://www.cs.cmu.edu/~ILIM/projects/IM/CarFusion/cvpr2018/'
        'index.html',
        licence='not verified (given on request)',
        download='all sequences, each with images_jpg and gt; the COCO files '
        'of github.com/dineshreddy91/carfusion_to_coco are not needed',
        folders=('carfusion', 'CarFusion', 'carfusion_dataset'),
        layout=(
            'train/car_butler1/images_jpg/8_1201.jpg',
            'train/car_butler1/gt/8_1201.txt',
        ),
        categories=('bus', 'car', 'suv'),
        rule=Rule(folders=('{category}',), method='carfusion'),
        traps=(
            'MP-100 names an image by an id that counts the sequences in the '
            "order of somebody else's folder listing, so renamed images of "
            'your own do not match: camera and frame are read from the id, '
            'the sequence is found by comparing boxes with gt',
        ),
    ),
    Source(
        key='animalweb',
        name='AnimalWeb',
        homepage='https://fdmaproject.wordpress.com/author/fdmaproject/',
        licence='not verified',
        download='animal_dataset_v1_c.rar',
        folders=(
            'animal_dataset_v1_clean_check',
            'animalweb',
            'AnimalWeb',
        ),
        layout=('animal_dataset_v1_clean_check/camel_92.jpg',),
        categories=tuple(
            f'{animal}_face'
            for animal in (
                *('alpaca', 'arcticwolf', 'bighornsheep', 'blackbuck'),
                *('bonobo', 'californiansealion', 'camel', 'capebuffalo'),
                *('capybara', 'chipmunk', 'commonwarthog', 'dassie'),
                *('fallowdeer', 'fennecfox', 'ferret', 'gentoopenguin'),
                *('gerbil', 'germanshepherddog', 'gibbons'),
                *('goldenretriever', 'greyseal', 'grizzlybear', 'guanaco'),
                *('klipspringer', 'olivebaboon', 'onager', 'pademelon'),
                *('proboscismonkey', 'przewalskihorse', 'quokka'),
            )
        ),
    ),
    Source(
        key='keypoint5',
        name='Keypoint-5',
        homepage='https://github.com/jiajunwu/3dinn',
        licence='not verified',
        download='http://3dinterpreter.csail.mit.edu/data/keypoint-5.zip',
        folders=('keypoint-5', 'keypoint5', 'Keypoint-5'),
        layout=('chair/images/NAME.jpg',),
        categories=('bed', 'chair', 'sofa', 'swivelchair', 'table'),
        rule=Rule(folders=('{category}/images', '{category}')),
        traps=(
            'categories may repeat file names: only the folder of the '
            'category counts',
        ),
    ),
)

ANNOTATIONS: Mapping[str, str] = {
    'MP-100, as published': 'https://drive.google.com/drive/folders/'
    '1pzC5uEgi4AW9RO9_T1J-0xSKF12mdj1_',
    'with skeletons, by the authors of GraphCape': 'https://drive.google.com/'
    'drive/folders/1uRyGB-P5Tc_6TmAZ6RnOi0SWjGq9b28T',
}
"""Where the annotation files are."""


def source_of_category(
    folder: str, sources: Sequence[Source] = SOURCES
) -> Source | None:
    """The source of an image folder of MP-100, None if no source has it."""
    for source in sources:
        if folder in source.categories:
            return source
    return None


def source_by_key(key: str) -> Source:
    """The source of this name.

    Raises:
        ValueError: If there is none.
    """
    for source in SOURCES:
        if source.key == key:
            return source
    raise ValueError(
        f'there is no source {key!r}; there are {", ".join(source_keys())}'
    )


def source_keys() -> Iterator[str]:
    """The names of the sources on the command line."""
    return (source.key for source in SOURCES)
