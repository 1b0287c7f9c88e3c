"""Settings of k-reciprocal re-ranking (Zhong et al., CVPR 2017), reported apart from the other tables."""

from pydantic import Field

from qafm.config.base import Settings


class RerankConfig(Settings):
    """Rule rerank_gallery. The defaults are those of Zhong et al. for Market-1501."""

    k1: int = Field(default=20, ge=1, description="nearest neighbours, the image itself not counted, among which mutual ones are sought")
    k2: int = Field(default=6, ge=1, description="nearest neighbours, the image itself among them, over which its encoding is averaged; 1: no averaging")
    lambda_: float = Field(default=0.3, ge=0, le=1, description="share of the original distance in the final one; 1: the ranking as it was")
