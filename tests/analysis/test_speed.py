import sys

from scripts import script


def test_the_whole_analysis_is_timed_and_compared_with_what_was_wanted(monkeypatch, capsys):
    small = ["--architectures", "300", "--estimators", "2", "--seeds", "2", "--modules", "500"]
    monkeypatch.setattr(sys, "argv", ["analysis.py", *small])
    script("speed/analysis").main()
    *parts, whole, memory, tau, interval = capsys.readouterr().out.splitlines()
    assert len(parts) == 15
    assert whole.startswith("whole analysis of 300 architectures x 2 estimators x 2 seeds")
    assert "(wanted: below 60; reached)" in whole
    assert "GiB (wanted: below 1" in memory
    assert tau.startswith("tau of 500 architectures")
    assert "times less than 1000 resamples with scipy" in interval
