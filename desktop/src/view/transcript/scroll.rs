//! Which row is at the top of what is seen, and how far it is pushed out. Heights are asked for only of rows that can be
//! seen, so what lies above and below costs nothing. Knows no font and no row.

/// The rows, as far as scrolling needs to know them.
pub(super) trait Heights {
    /// How many there are.
    fn count(&self) -> usize;
    /// How high one is, in pixels.
    fn height(&mut self, row: usize) -> i32;
}

/// Where the view stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scroller {
    /// The row at the top.
    pub(super) row: usize,
    /// So many of its pixels are above the top; less than none: there is empty space above it.
    pub(super) offset: i32,
    /// The last row is to be seen, whatever comes.
    pub(super) is_at_end: bool,
}

impl Scroller {
    /// At the end.
    pub(super) fn new() -> Self {
        Self { row: 0, offset: 0, is_at_end: true }
    }

    /// Rows have come before the one that stood there.
    pub(super) fn inserted(&mut self, at: usize, count: usize) {
        if at <= self.row {
            self.row += count;
        }
    }

    /// Rows have gone.
    pub(super) fn removed(&mut self, at: usize, count: usize) {
        if at + count <= self.row {
            self.row -= count;
        } else if at <= self.row {
            (self.row, self.offset) = (at, 0);
        }
    }

    /// Moves down by so many pixels, or up.
    pub(super) fn scroll(&mut self, pixels: i32, view_height: i32, rows: &mut impl Heights) {
        self.offset = self.offset.saturating_add(pixels);
        self.is_at_end = false;
        self.settle(view_height, rows);
    }

    /// To the first row.
    pub(super) fn go_to_start(&mut self) {
        *self = Self { row: 0, offset: 0, is_at_end: false };
    }

    /// A row at the top.
    pub(super) fn go_to_row(&mut self, row: usize) {
        *self = Self { row, offset: 0, is_at_end: false };
    }

    /// A row in the middle, unless it is seen whole already.
    pub(super) fn reveal(&mut self, row: usize, view_height: i32, rows: &mut impl Heights) {
        let height = rows.height(row);
        if row >= self.row {
            let mut top = -self.offset;
            for above in self.row..row {
                top += rows.height(above);
                if top > view_height {
                    break;
                }
            }
            if top >= 0 && top + height <= view_height {
                return;
            }
        }
        let above = ((view_height - height) / 2).max(0);
        *self = Self { row, offset: -above, is_at_end: false };
        self.settle(view_height, rows);
    }

    /// Makes the place one that can be: no empty space but where there are too few rows, which then stand at the bottom.
    pub(super) fn settle(&mut self, view_height: i32, rows: &mut impl Heights) {
        let count = rows.count();
        if count == 0 {
            *self = Self::new();
            return;
        }
        if self.row >= count {
            self.is_at_end = true;
        }
        if !self.is_at_end {
            self.normalise(rows);
            // Is there a view's height of rows from here on?
            let mut left = view_height + self.offset;
            let mut row = self.row;
            while left > 0 && row < count {
                left -= rows.height(row);
                row += 1;
            }
            self.is_at_end = left > 0 || (left == 0 && row == count);
        }
        if self.is_at_end {
            self.stand_at_end(view_height, rows);
        }
    }

    /// Brings the offset into the row at the top.
    fn normalise(&mut self, rows: &mut impl Heights) {
        while self.offset < 0 && self.row > 0 {
            self.row -= 1;
            self.offset += rows.height(self.row);
        }
        if self.row == 0 {
            self.offset = self.offset.max(0);
        }
        while self.row + 1 < rows.count() {
            let height = rows.height(self.row);
            if self.offset < height {
                break;
            }
            self.offset -= height;
            self.row += 1;
        }
    }

    fn stand_at_end(&mut self, view_height: i32, rows: &mut impl Heights) {
        let mut left = view_height;
        let mut row = rows.count();
        while left > 0 && row > 0 {
            row -= 1;
            left -= rows.height(row);
        }
        (self.row, self.offset) = (row, -left);
    }

    /// Whether less than a view's height of rows is above.
    pub(super) fn is_near_start(&self, view_height: i32, rows: &mut impl Heights) -> bool {
        let mut above = self.offset;
        let mut row = self.row;
        while row > 0 && above < view_height {
            row -= 1;
            above += rows.height(row);
        }
        above < view_height
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Fixed {
        heights: Vec<i32>,
        asked: usize,
    }

    impl Fixed {
        fn new(heights: &[i32]) -> Self {
            Self { heights: heights.to_vec(), asked: 0 }
        }

        /// Pixels above the top of the view, the rows' heights all known.
        fn above(&self, scroller: &Scroller) -> i32 {
            self.heights[..scroller.row].iter().sum::<i32>() + scroller.offset
        }

        fn whole(&self) -> i32 {
            self.heights.iter().sum()
        }
    }

    impl Heights for Fixed {
        fn count(&self) -> usize {
            self.heights.len()
        }

        fn height(&mut self, row: usize) -> i32 {
            self.asked += 1;
            self.heights[row]
        }
    }

    fn settled(rows: &mut Fixed, view_height: i32) -> Scroller {
        let mut scroller = Scroller::new();
        scroller.settle(view_height, rows);
        scroller
    }

    #[test]
    fn at_the_end_the_last_row_touches_the_bottom_whatever_comes() {
        let mut rows = Fixed::new(&[30; 10]);
        let mut scroller = settled(&mut rows, 100);
        assert_eq!(rows.above(&scroller), 200);
        rows.heights.push(50);
        scroller.inserted(10, 1);
        scroller.settle(100, &mut rows);
        assert_eq!((rows.above(&scroller), scroller.is_at_end), (250, true));
    }

    #[test]
    fn rows_that_do_not_fill_the_view_stand_at_its_bottom() {
        let mut rows = Fixed::new(&[30, 30]);
        let scroller = settled(&mut rows, 100);
        assert_eq!((scroller.row, scroller.offset, scroller.is_at_end), (0, -40, true));
    }

    #[test]
    fn who_reads_above_is_not_moved_by_what_comes_above_or_below() {
        let mut rows = Fixed::new(&[30; 40]);
        let mut scroller = settled(&mut rows, 100);
        scroller.scroll(-500, 100, &mut rows);
        let (row, offset) = (scroller.row, scroller.offset);
        rows.heights.extend([20; 5]);
        scroller.inserted(40, 5);
        rows.heights.splice(0..0, [70; 8]);
        scroller.inserted(0, 8);
        scroller.settle(100, &mut rows);
        assert_eq!((scroller.row, scroller.offset, scroller.is_at_end), (row + 8, offset, false));
        rows.heights.drain(0..10);
        scroller.removed(0, 10);
        scroller.settle(100, &mut rows);
        assert_eq!((scroller.row, scroller.offset), (row - 2, offset));
    }

    #[test]
    fn scrolling_down_to_the_last_pixel_is_the_end_again() {
        let mut rows = Fixed::new(&[30; 40]);
        let mut scroller = settled(&mut rows, 100);
        scroller.scroll(-45, 100, &mut rows);
        assert!(!scroller.is_at_end);
        scroller.scroll(44, 100, &mut rows);
        assert!(!scroller.is_at_end);
        scroller.scroll(1, 100, &mut rows);
        assert!(scroller.is_at_end);
    }

    #[test]
    fn of_many_rows_only_those_that_can_be_seen_are_measured() {
        let mut rows = Fixed::new(&[20; 5000]);
        let mut scroller = settled(&mut rows, 600);
        assert!(rows.asked <= 31, "{}", rows.asked);
        rows.asked = 0;
        scroller.scroll(-60, 600, &mut rows);
        assert!(rows.asked <= 40, "{}", rows.asked);
        rows.asked = 0;
        scroller.go_to_start();
        scroller.settle(600, &mut rows);
        assert!(rows.asked <= 32, "{}", rows.asked);
        assert!(scroller.is_near_start(600, &mut rows));
    }

    #[test]
    fn a_row_is_revealed_in_the_middle_unless_it_is_seen() {
        let mut rows = Fixed::new(&[30; 40]);
        let mut scroller = settled(&mut rows, 100);
        scroller.reveal(10, 100, &mut rows);
        assert_eq!(rows.above(&scroller), 300 - 35);
        let before = scroller;
        scroller.reveal(11, 100, &mut rows);
        assert_eq!(scroller, before);
    }

    proptest! {
        #[test]
        fn whatever_is_scrolled_there_is_no_empty_space_where_there_are_rows(
            heights in proptest::collection::vec(5..80i32, 1..60),
            moves in proptest::collection::vec(-900..900i32, 0..20),
            view_height in 10..300i32,
        ) {
            let mut rows = Fixed::new(&heights);
            let mut scroller = settled(&mut rows, view_height);
            for pixels in moves {
                scroller.scroll(pixels, view_height, &mut rows);
                let above = rows.above(&scroller);
                let most = rows.whole() - view_height;
                prop_assert!(above <= most, "{above} of {most}");
                prop_assert!(above >= 0 || most < 0);
                prop_assert_eq!(scroller.is_at_end, above == most);
            }
        }
    }
}
