//! Moments as RFC 3339 text, always in UTC and with milliseconds.
//!
//! Not here: what time it is (handed in by `node`).

use crate::base::time::ClusterTime;

const DAY_MS: u64 = 86_400_000;

/// Writes a moment as `2026-01-31T12:00:00.000Z`.
pub(super) fn rfc3339(time: ClusterTime) -> String {
    let (year, month, day) = civil(time.0 / DAY_MS);
    let of_day = time.0 % DAY_MS;
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1000 % 60, of_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year and every month
/// but that has a fixed place: 153 days are five months.
fn civil(days: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097; // Days in 400 years.
    let since_march_0000 = days + 719_468;
    let (era, day) = (since_march_0000 / ERA, since_march_0000 % ERA);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_month)
}
