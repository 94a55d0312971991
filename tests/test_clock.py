"""Time: order at one instant, and the one kind of timer."""

from simbgp.model.clock import Clock, Order, Timer


def test_at_one_instant_faults_come_before_packets_and_packets_before_timers():
    clock, seen = Clock(), []
    for order in reversed(Order):
        clock.at(5, lambda order=order: seen.append(order), order)
    clock.run(until_us=6)
    assert seen == list(Order)


def test_what_is_due_at_the_end_does_not_happen():
    clock, seen = Clock(), []
    clock.at(9, lambda: seen.append(9), Order.FAULT)
    clock.at(10, lambda: seen.append(10), Order.FAULT)
    clock.run(until_us=10)
    assert seen == [9]


def test_a_moved_deadline_expires_once_at_its_new_place():
    clock, seen = Clock(), []
    timer = Timer(clock, lambda: seen.append(clock.now_us))
    timer.set(10)
    clock.at(4, lambda: timer.set(20), Order.PACKET)
    clock.at(6, lambda: timer.set(15), Order.PACKET)
    clock.run(until_us=100)
    assert seen == [15]


def test_a_deadline_moved_closer_is_not_missed():
    clock, seen = Clock(), []
    timer = Timer(clock, lambda: seen.append(clock.now_us))
    timer.set(50)
    clock.at(10, lambda: timer.set(20), Order.PACKET)
    clock.run(until_us=100)
    assert seen == [20]


def test_a_cancelled_timer_stays_silent_until_it_is_set_again():
    clock, seen = Clock(), []
    timer = Timer(clock, lambda: seen.append(clock.now_us))
    timer.set(10)
    timer.cancel()
    clock.at(30, lambda: timer.set(40), Order.PACKET)
    clock.run(until_us=100)
    assert seen == [40]
    assert timer.deadline_us is None
