/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/sensor.h"
#include "tests/unit/recorded.h"

extern const struct collector collector_sensor;

START_TEST(readings_are_millidegrees)
{
	double c = 7;

	ck_assert_int_eq(sensor_parse("38850\n", &c, NULL), 0);
	ck_near(c, 38.85);
	ck_assert_int_eq(sensor_parse("-5000\n", &c, NULL), 0);
	ck_near(c, -5);
	ck_assert_int_eq(sensor_parse("-128000\n", &c, NULL), -ERANGE);
	ck_assert_int_eq(sensor_parse("65261850\n", &c, NULL), -ERANGE);
	ck_assert_int_eq(sensor_parse("warm\n", &c, NULL), -EINVAL);
	ck_assert_int_eq(sensor_parse("", &c, NULL), -EINVAL);
	ck_near(c, -5);
}
END_TEST

START_TEST(names)
{
	char chip[64];

	ck_assert_uint_eq(sensor_number("temp12_input"), 12);
	ck_assert_uint_eq(sensor_number("temp1_max"), 0);
	ck_assert_uint_eq(sensor_number("fan1_input"), 0);
	ck_assert_uint_eq(sensor_number("temp_input"), 0);
	sensor_chip_name(chip, sizeof(chip), "coretemp", "coretemp.0");
	ck_assert_str_eq(chip, "coretemp.0");
	sensor_chip_name(chip, sizeof(chip), "k10temp", "0000:00:18.3");
	ck_assert_str_eq(chip, "k10temp-0000:00:18.3");
	sensor_chip_name(chip, sizeof(chip), "cpu_thermal", "");
	ck_assert_str_eq(chip, "cpu_thermal");
}
END_TEST

static double celsius(const char *key)
{
	return recorded_value(&class_sensor, key, SENSOR_temperature_celsius);
}

START_TEST(chips_are_found_by_names_that_stay)
{
	const struct entity *e;

	recorded_begin("host-v2", &collector_sensor);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_uint_eq(recorded_count(&class_sensor), 8);
	ck_near(celsius("nvme0-temp1"), 38.85);
	ck_near(celsius("acpitz-thermal_zone0-temp1"), 27.8);
	ck_near(celsius("coretemp.0-temp3"), -5);
	e = recorded_find(&class_sensor, "coretemp.0-temp1");
	ck_assert_str_eq(entity_label_get(e, "chip"), "coretemp.0");
	ck_assert_str_eq(entity_label_get(e, "sensor"), "Package id 0");
	e = recorded_find(&class_sensor, "acpitz-thermal_zone0-temp1");
	ck_assert_str_eq(entity_label_get(e, "sensor"), "temp1");
	e = recorded_find(&class_sensor, "nct6775.656-temp2");
	ck_assert_double_nan(entity_value(e, SENSOR_temperature_celsius));
	ck_assert_str_eq(
		e->missing[SENSOR_temperature_celsius], "what the sensor reads is no temperature");
	recorded_end();
}
END_TEST

START_TEST(new_readings_and_a_chip_that_goes)
{
	recorded_begin("host-v2", &collector_sensor);
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_write("sys/class/hwmon/hwmon1/temp1_input", "41000\n");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_near(celsius("nvme0-temp1"), 41);
	/* Its folder is another one now, as when drivers are loaded in another order. */
	ck_assert_int_eq(rename(scratch_path("sys/class/hwmon/hwmon1"),
				 scratch_path("sys/class/hwmon/hwmon9")),
		0);
	recorded_collector->done(recorded_state);
	memset(recorded_state, 0, recorded_collector->state_size);
	ck_assert_int_eq(recorded_sample(140), 0);
	ck_near(celsius("nvme0-temp1"), 41);
	ck_assert_uint_eq(recorded_count(&class_sensor), 8);
	recorded_end();
}
END_TEST

START_TEST(a_sensor_removed_is_gone_and_the_others_stay)
{
	recorded_begin("host-v2", &collector_sensor);
	recorded_write("sys/class/hwmon/hwmon1/temp2_input", "1\n");
	ck_assert_int_eq(recorded_sample(100), 0);
	recorded_collector->done(recorded_state);
	memset(recorded_state, 0, recorded_collector->state_size);
	ck_assert_int_eq(unlink(scratch_path("sys/class/hwmon/hwmon1/temp2_input")), 0);
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_ptr_null(recorded_find(&class_sensor, "nvme0-temp2"));
	ck_near(celsius("nvme0-temp1"), 38.85);
	recorded_end();
}
END_TEST

START_TEST(two_chips_of_one_driver_without_device)
{
	recorded_begin("host-v2", &collector_sensor);
	ck_assert_int_eq(unlink(scratch_path("sys/class/hwmon/hwmon0/device")), 0);
	ck_assert_int_eq(unlink(scratch_path("sys/class/hwmon/hwmon1/device")), 0);
	recorded_write("sys/class/hwmon/hwmon1/name", "acpitz\n");
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_uint_eq(recorded_count(&class_sensor), 8);
	recorded_end();
}
END_TEST

START_TEST(one_label_for_two_sensors_of_a_chip)
{
	recorded_begin("host-v2", &collector_sensor);
	recorded_write("sys/class/hwmon/hwmon1/temp2_label", "Composite\n");
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_str_ne(entity_label_get(recorded_find(&class_sensor, "nvme0-temp1"), "sensor"),
		entity_label_get(recorded_find(&class_sensor, "nvme0-temp2"), "sensor"));
	recorded_end();
}
END_TEST

START_TEST(thermal_zones_where_there_is_no_chip)
{
	const struct entity *e;

	recorded_begin("host-old", &collector_sensor);
	ck_assert_int_eq(recorded_sample(100), 0);
	ck_assert_uint_eq(recorded_count(&class_sensor), 1);
	ck_near(celsius("x86_pkg_temp-thermal_zone0"), 45);
	e = recorded_find(&class_sensor, "x86_pkg_temp-thermal_zone0");
	ck_assert_str_eq(entity_label_get(e, "chip"), "x86_pkg_temp");
	recorded_write("sys/class/thermal/thermal_zone0/temp", "broken\n");
	ck_assert_int_eq(recorded_sample(120), 0);
	ck_assert_double_nan(celsius("x86_pkg_temp-thermal_zone0"));
	recorded_end();
}
END_TEST

START_TEST(a_server_without_sensors)
{
	recorded_begin("host-old", &collector_sensor);
	ck_assert_int_eq(rename(scratch_path("sys/class/thermal"), scratch_path("elsewhere")), 0);
	ck_assert_int_eq(recorded_sample(100), COLLECTOR_ABSENT);
	ck_assert_int_eq(recorded_sample(120), COLLECTOR_ABSENT);
	recorded_end();
}
END_TEST

RUN_TESTS("sensor", readings_are_millidegrees, names, chips_are_found_by_names_that_stay,
	new_readings_and_a_chip_that_goes, a_sensor_removed_is_gone_and_the_others_stay,
	two_chips_of_one_driver_without_device, one_label_for_two_sensors_of_a_chip,
	thermal_zones_where_there_is_no_chip, a_server_without_sensors)
