"""The whole play in order; returns the summary. What each act does is told in its own module."""

from __future__ import annotations

import time

from deploy.rehearsal import checking, collecting, deciding
from deploy.rehearsal.scenario import Cast, Stage, cast
from deploy.rehearsal.summary import Summary

ACTS = (
    ("15 ต.ค. 2564 เปิดรอบ · opening", collecting.open_rounds),
    ("15 ต.ค. - 9 พ.ย. ส่งทะเบียนนักเรียน · uploads", collecting.upload_all),
    ("นักเรียนซ้ำ · duplicates", collecting.settle_duplicates),
    ("อาคารและสิ่งก่อสร้าง · B-OBEC", collecting.record_buildings),
    ("10 พ.ย. 08.30-16.30 น. ยืนยันและรับรอง · confirm and certify", deciding.confirm_day),
    ("11 พ.ย. เขตพื้นที่รับทราบ · area's day", deciding.area_day),
    ("11 พ.ย. ปิดรอบ · closing", deciding.close_round),
    ("ตรวจสอบใบรับและหลักฐาน · receipts and proofs", checking.check_nothing_lost),
    ("รายงานและงบประมาณ · reports and budget", checking.check_reports),
    ("12 พ.ย. ส่ง EDC · package", checking.build_package),
)


def play(stage: Stage) -> Summary:
    """Play every act; a failing act is a fault and ends the play there."""
    began = time.monotonic()
    people: Cast = cast(stage)
    for title, act in ACTS:
        stage.say(title)
        try:
            act(stage, people)
        except Exception as problem:
            stage.summary.fault(f"{title}: {type(problem).__name__}: {problem}")
            break
    stage.summary.seconds = round(time.monotonic() - began, 1)
    return stage.summary
