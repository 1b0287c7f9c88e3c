"""The report's numbers on Market-1501, percent, measured on its own validation identities from ImageNet weights."""

LOSSES = ("ce", "weighted_ce", "focal", "alpha_focal")
GLOBAL = "Global"
# Rows of Tables 2 and 3 in the report's order, by the attribute's name here.
_TABLE_2 = {
    "age": (79.84, 75.72, 80.31, 55.54),
    "gender": (86.45, 87.32, 85.32, 86.54),
    "hair": (81.66, 84.88, 81.77, 82.91),
    "up": (93.28, 92.47, 91.64, 86.89),
    "down": (87.19, 90.13, 88.40, 89.29),
    "clothes": (92.78, 92.82, 90.60, 91.90),
    "hat": (94.84, 95.13, 96.34, 88.96),
    "backpack": (82.83, 81.79, 80.26, 81.94),
    "bag": (72.40, 70.02, 70.10, 70.11),
    "handbag": (85.68, 81.79, 83.10, 78.90),
    "up_color": (68.96, 70.22, 71.87, 69.49),
    "down_color": (65.65, 63.28, 58.97, 13.13),
    GLOBAL: (82.63, 82.13, 81.56, 74.63),
}
_TABLE_3 = {
    "age": (36.86, 36.66, 43.20, 42.35),
    "gender": (86.16, 87.06, 85.29, 86.40),
    "hair": (79.12, 83.09, 80.60, 81.02),
    "up": (63.72, 59.75, 59.33, 60.99),
    "down": (86.74, 89.58, 87.39, 88.70),
    "clothes": (81.70, 83.93, 79.37, 82.34),
    "hat": (63.84, 67.77, 62.56, 58.83),
    "backpack": (78.34, 77.51, 74.31, 77.81),
    "bag": (60.63, 61.14, 60.08, 62.36),
    "handbag": (52.83, 57.29, 54.78, 54.86),
    "up_color": (64.77, 63.29, 65.97, 62.10),
    "down_color": (50.24, 56.62, 40.85, 11.29),
    GLOBAL: (67.08, 68.64, 66.14, 64.09),
}
# Table -> row -> loss -> percent.
ACCURACY, MACRO_F1 = ({row: dict(zip(LOSSES, values, strict=True)) for row, values in table.items()} for table in (_TABLE_2, _TABLE_3))
REPORT_ORDER = tuple(_TABLE_2)[:-1]
# Table 1: mAP of the siamese network with and without transfer from the PAR network.
SIAMESE_MAP = {"transfer": 44.78, "reference": 21.85}
