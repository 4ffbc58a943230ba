package types

// zoneNames are the English names of time zones (CLDR's), standard and in
// summer, where they aren't made of the zone's own identifier.
var zoneNames = map[string][2]string{
	"UTC": {"Coordinated Universal Time"}, "Etc/UTC": {"Coordinated Universal Time"}, "Z": {"Coordinated Universal Time"}, "GMT": {"Greenwich Mean Time"},
	"America/Los_Angeles": {"Pacific Standard Time", "Pacific Daylight Time"}, "US/Pacific": {"Pacific Standard Time", "Pacific Daylight Time"},
	"America/Denver": {"Mountain Standard Time", "Mountain Daylight Time"}, "America/Phoenix": {"Mountain Standard Time"},
	"America/Chicago": {"Central Standard Time", "Central Daylight Time"}, "America/New_York": {"Eastern Standard Time", "Eastern Daylight Time"},
	"US/Eastern": {"Eastern Standard Time", "Eastern Daylight Time"}, "US/Central": {"Central Standard Time", "Central Daylight Time"}, "US/Mountain": {"Mountain Standard Time", "Mountain Daylight Time"},
	"America/Anchorage": {"Alaska Standard Time", "Alaska Daylight Time"}, "Pacific/Honolulu": {"Hawaii-Aleutian Standard Time"},
	"America/Halifax": {"Atlantic Standard Time", "Atlantic Daylight Time"}, "America/Toronto": {"Eastern Standard Time", "Eastern Daylight Time"}, "America/Sao_Paulo": {"Brasilia Standard Time"},
	"Europe/London": {"Greenwich Mean Time", "British Summer Time"}, "Europe/Dublin": {"Greenwich Mean Time", "Irish Standard Time"},
	"Europe/Paris": {"Central European Standard Time", "Central European Summer Time"}, "Europe/Berlin": {"Central European Standard Time", "Central European Summer Time"},
	"Europe/Brussels": {"Central European Standard Time", "Central European Summer Time"}, "Europe/Madrid": {"Central European Standard Time", "Central European Summer Time"},
	"Europe/Rome": {"Central European Standard Time", "Central European Summer Time"}, "Europe/Amsterdam": {"Central European Standard Time", "Central European Summer Time"},
	"Europe/Vienna": {"Central European Standard Time", "Central European Summer Time"}, "Europe/Zurich": {"Central European Standard Time", "Central European Summer Time"},
	"Europe/Athens": {"Eastern European Standard Time", "Eastern European Summer Time"}, "Europe/Helsinki": {"Eastern European Standard Time", "Eastern European Summer Time"},
	"Europe/Moscow": {"Moscow Standard Time"}, "Asia/Tokyo": {"Japan Standard Time"}, "Asia/Seoul": {"Korean Standard Time"}, "Asia/Shanghai": {"China Standard Time"}, "Asia/Hong_Kong": {"Hong Kong Standard Time"},
	"Asia/Singapore": {"Singapore Standard Time"}, "Asia/Kolkata": {"India Standard Time"}, "Asia/Calcutta": {"India Standard Time"}, "Asia/Dubai": {"Gulf Standard Time"},
	"Australia/Sydney": {"Australian Eastern Standard Time", "Australian Eastern Daylight Time"}, "Pacific/Auckland": {"New Zealand Standard Time", "New Zealand Daylight Time"},
}

// zoneName is the full name of a zone; "" when it isn't known.
func zoneName(id string, summer bool) string {
	n := zoneNames[id]
	if summer && n[1] != "" {
		return n[1]
	}
	return n[0]
}

// DayName is the English name of the day of the week of a day.
func DayName(day int64) string { return dayNames[FloorMod(day+3, 7)] }

// MonthName is the English name of month 1 to 12.
func MonthName(m int) string { return monthNames[m-1] }
