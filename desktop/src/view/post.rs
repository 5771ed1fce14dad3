//! What the widgets want: they say it here, and whoever owns the model does it, at once if it can be.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::model::{Act, EntryId};

/// Where in the window, in pixels from its left and its top.
pub(super) type Place = (i32, i32);

/// Something that is to be done because somebody touched a widget.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wish {
    /// By the model.
    Act(Act),
    /// The text of the input, or its cursor, may be another.
    Edited,
    /// The transcript goes down by so many pixels, or up.
    Scroll(i32),
    /// By pages.
    Page(i32),
    /// To its first row.
    ToStart,
    /// To this part of it.
    ToPart(f64),
    /// The keyboard's row goes down, or up.
    Step { is_down: bool },
    /// What can be done with the keyboard's row is done.
    ActOnRow,
    /// The keyboard's row is answered.
    ReplyToRow,
    /// All rows are selected.
    SelectAll,
    /// What is selected is copied.
    Copy,
    /// The mouse has selected something: middle clicks paste it.
    Selected,
    /// This is copied.
    CopyText(String),
    /// What can be done with a row is offered, and with the link in it that is meant.
    RowMenu { entry: EntryId, url: Option<String>, at: Place },
    /// The same with the keyboard's row.
    MenuOfRow,
    /// What can be done with a person is offered.
    PersonMenu(usize, Place),
    /// What can be done with a conversation is offered.
    ConversationMenu(usize, Place),
    /// The n-th item of the menu was chosen.
    PickItem(usize),
    /// The n-th conversation was chosen.
    PickConversation(usize),
    /// The n-th person was.
    PickPerson(usize),
    /// The next pane has the keyboard, or the one before.
    NextPane { is_back: bool },
    /// The input has the keyboard, and this is typed there.
    TypeIntoInput(String),
    /// What stands in the input is sent.
    SendNow,
    /// The list of people is shown, or hidden.
    TogglePeople,
    /// A sheet over the window.
    Open(Sheet),
    /// It goes, and what stands in it counts or does not.
    CloseSheet { is_accepted: bool },
    /// Escape.
    Escape,
    /// The selection has changed, and what can be seen is laid out anew.
    Refresh,
    /// The window has another size.
    Arrange,
}

/// What can lie over the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sheet {
    /// Asks for a name.
    Name,
    /// The settings.
    Settings,
    /// The emoji.
    Emoji,
    /// Asks for a room to enter.
    Room,
    /// Whether so many lines are to be pasted.
    Paste(usize),
    /// What the keys do.
    Help,
    /// Who is here, where there is no room for a pane of them.
    People,
    /// A question of [`crate::render::question`], by its number.
    Question(u64),
    /// What can be done with something.
    Menu,
}

type Pump = Rc<RefCell<Option<Box<dyn Fn()>>>>;

/// Where wishes go. Copies are the same one.
#[derive(Clone, Default)]
pub(super) struct Post {
    wishes: Rc<RefCell<VecDeque<Wish>>>,
    pump: Pump,
    /// A sheet lies over the window: keys are for it alone.
    is_covered: Rc<Cell<bool>>,
}

impl Post {
    /// Says it, and has it done if nothing else is being done.
    pub(super) fn send(&self, wish: Wish) {
        self.wishes.borrow_mut().push_back(wish);
        if let Ok(pump) = self.pump.try_borrow() {
            if let Some(pump) = &*pump {
                pump();
            }
        }
    }

    /// Whether keys are for a sheet alone.
    pub(super) fn is_covered(&self) -> bool {
        self.is_covered.get()
    }

    /// A sheet lies over the window, or no more.
    pub(super) fn set_covered(&self, is_covered: bool) {
        self.is_covered.set(is_covered);
    }

    /// Says it before all others, to be taken by who takes them now.
    pub(super) fn send_first(&self, wish: Wish) {
        self.wishes.borrow_mut().push_front(wish);
    }

    /// The next one.
    pub(super) fn take(&self) -> Option<Wish> {
        self.wishes.borrow_mut().pop_front()
    }

    /// Who does it.
    pub(super) fn set_pump(&self, pump: impl Fn() + 'static) {
        *self.pump.borrow_mut() = Some(Box::new(pump));
    }
}
