from ml_platform.evaluation.search_charts import best_over_time


def test_the_chart_has_every_candidate_and_the_best_so_far():
    figure = best_over_time([1.0, 2.5, 4.0], [0.5, 0.4, 0.6], [0.5, 0.5, 0.6], "f1")
    (axes,) = figure.axes
    assert axes.get_ylabel() == "f1, mean over the folds"
    points, steps = axes.collections[0].get_offsets().tolist(), axes.lines[0].get_xydata().tolist()
    assert points == [[1.0, 0.5], [2.5, 0.4], [4.0, 0.6]]
    assert steps == [[1.0, 0.5], [2.5, 0.5], [4.0, 0.6]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a candidate", "best so far", "best: 0.600"]
